#include "measuring/scenarios.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "errors.h"
#include "measuring/latency.h"

namespace resemote_tools {
namespace {

// The system wakes a sleeper late by about this much; the rest is waited for in a loop.
constexpr std::int64_t WAKE_LATE_NS = 300000;

double seconds_of(const std::vector<std::int64_t>& nanoseconds) {
  double sum = 0.0;
  for (const std::int64_t one : nanoseconds) sum += static_cast<double>(one);
  return sum / 1e9;
}

// ---- single-stream: one call after the other ---------------------------------------------------------------------

Taken run_single_stream(const Subjects& subjects, const Settings& settings) {
  Subject& subject = *subjects.front();
  Taken taken;
  taken.warm_up = warm_up([&] { subject.decide(); }, settings);
  time_in_blocks([&] { subject.run_model(); }, [&] { return subject.decide(); }, settings, taken.model, taken.stages);
  const double crops = static_cast<double>(taken.stages.size() * subject.batch());
  taken.outcome = {{"type", "single-stream"}, {"decisions_per_s", crops / seconds_of(whole_times(taken.stages))}};
  return taken;
}

// ---- offline: as many crops a second as the machine can, by one session or several side by side --------------------

// Lets each subject work in a thread of its own, all at once; returns the seconds until the last was done.
double together(const Subjects& subjects, const std::function<void(Subject&, std::size_t)>& work) {
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> failures(subjects.size());
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t ready = 0;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    threads.emplace_back([&, i] {
      {
        std::unique_lock<std::mutex> lock(mutex);
        if (++ready == subjects.size()) start = now_ns();
        changed.notify_all();
        changed.wait(lock, [&] { return ready == subjects.size(); });
      }
      try {
        work(*subjects[i], i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return seconds;
}

WarmUp all_of(const std::vector<WarmUp>& warmed) {
  WarmUp all = warmed.front();
  for (std::size_t i = 1; i < warmed.size(); ++i) {
    all.runs += warmed[i].runs;
    all.seconds = std::max(all.seconds, warmed[i].seconds);
    if (all.settled) all.settled = *all.settled && warmed[i].settled.otherwise(false);
  }
  return all;
}

Taken run_offline(const Subjects& subjects, const Settings& settings) {
  std::vector<WarmUp> warmed(subjects.size());
  std::vector<std::vector<std::int64_t>> models(subjects.size());
  std::vector<std::vector<StageTimes>> decisions(subjects.size());
  together(subjects, [&](Subject& subject, std::size_t i) {
    warmed[i] = warm_up([&] { subject.decide(); }, settings);
  });
  const double model_s = together(subjects, [&](Subject& subject, std::size_t i) {
    models[i] = time_calls([&] { subject.run_model(); }, settings);
  });
  const double whole_s = together(subjects, [&](Subject& subject, std::size_t i) {
    decisions[i].reserve(MOST_RUNS);
    time_calls([&] { decisions[i].push_back(subject.decide()); }, settings);
  });
  Taken taken;
  taken.warm_up = all_of(warmed);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    taken.model.insert(taken.model.end(), models[i].begin(), models[i].end());
    taken.stages.insert(taken.stages.end(), decisions[i].begin(), decisions[i].end());
  }
  const std::size_t batch = subjects.front()->batch();
  taken.outcome = {{"type", "offline"},
                   {"streams", subjects.size()},
                   {"crops", taken.stages.size() * batch},
                   {"seconds", whole_s},
                   {"decisions_per_s", static_cast<double>(taken.stages.size() * batch) / whole_s},
                   {"model_samples_per_s", static_cast<double>(taken.model.size() * batch) / model_s}};
  return taken;
}

// ---- camera: frames arrive at a fixed rate, ready or not -----------------------------------------------------------

void wait_until(std::int64_t moment) {
  const std::int64_t rest = moment - now_ns() - WAKE_LATE_NS;
  if (rest > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(rest));
  while (now_ns() < moment) {
  }
}

// No thread stands in for the camera: the arrival of frame k is known beforehand, so the frames that wait whenever the
// decider is free can be calculated.
Taken run_camera(const Subjects& subjects, const Settings& settings) {
  Subject& subject = *subjects.front();
  Taken taken;
  taken.warm_up = warm_up([&] { subject.decide(); }, settings);
  const std::int64_t frames =
      std::max<std::int64_t>(settings.min_runs, static_cast<std::int64_t>(settings.min_seconds * settings.fps));
  const double period = 1e9 / settings.fps;
  std::deque<std::int64_t> waiting;
  std::vector<std::int64_t> ages;
  const std::int64_t start = now_ns();
  std::int64_t arrived = 0;
  for (;;) {
    if (waiting.empty()) wait_until(start + std::llround(static_cast<double>(arrived) * period));
    // The camera does not stop with the last frame that counts: later frames still push others out.
    const std::int64_t there = static_cast<std::int64_t>(static_cast<double>(now_ns() - start) / period) + 1;
    for (; arrived < there; ++arrived) {
      if (waiting.size() == static_cast<std::size_t>(settings.queue_frames)) waiting.pop_front();
      waiting.push_back(arrived);
    }
    if (waiting.empty()) continue;
    const std::int64_t frame = waiting.front();
    waiting.pop_front();
    if (frame >= frames) break;
    taken.stages.push_back(subject.decide());
    ages.push_back(now_ns() - start - std::llround(static_cast<double>(frame) * period));
  }
  if (ages.empty()) {
    throw ToolError("all " + std::to_string(frames) + " frames were dropped: a newer one had come before the first was taken",
                    "pass a lower --fps, a larger --queue or more --min-runs");
  }
  taken.model = times_of(taken.stages, INFERENCE);
  const std::ptrdiff_t quarter = static_cast<std::ptrdiff_t>(std::max<std::size_t>(ages.size() / 4, 1));
  const std::int64_t dropped = frames - static_cast<std::int64_t>(ages.size());
  taken.outcome = {{"type", "camera"},
                   {"fps", settings.fps},
                   {"faces", subject.batch()},
                   {"queue_frames", settings.queue_frames},
                   {"frames", frames},
                   {"dropped_frames", dropped},
                   {"dropped_share", static_cast<double>(dropped) / static_cast<double>(frames)},
                   {"age", latency_of(ages)},
                   {"age_growth_ms", (median(std::vector<std::int64_t>(ages.end() - quarter, ages.end())) -
                                      median(std::vector<std::int64_t>(ages.begin(), ages.begin() + quarter))) / 1e6}};
  return taken;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {{"single-stream", false, run_single_stream},
                                            {"offline", true, run_offline},
                                            {"camera", false, run_camera}};
  return all;
}

}  // namespace resemote_tools
