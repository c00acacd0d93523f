#include "measuring/timing.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace resemote_tools {
namespace {

// Calls of one look at whether times have settled, and number of looks in a row that must agree.
constexpr int LOOK_RUNS = 5;
constexpr std::size_t LOOKS = 3;
// Largest distance between medians of looks that agree, as a fraction of the smallest.
constexpr double SETTLED = 0.05;
// Longest time for calls of one kind before those of the other begin.
constexpr std::size_t BLOCK_RUNS = 20;
constexpr std::int64_t BLOCK_NS = 100000000;

std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

std::int64_t time_of(const std::function<void()>& call) {
  const std::int64_t start = now_ns();
  call();
  return now_ns() - start;
}

}  // namespace

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void to_json(nlohmann::json& to, const Settings& settings) {
  to = {{"warmup_runs", settings.warmup_runs}, {"warmup_seconds", settings.warmup_seconds},
        {"min_runs", settings.min_runs},       {"min_seconds", settings.min_seconds},
        {"fps", settings.fps},                 {"queue_frames", settings.queue_frames},
        {"window_seconds", settings.window_seconds}};
}

void to_json(nlohmann::json& to, const WarmUp& warm_up) {
  to = {{"runs", warm_up.runs}, {"seconds", warm_up.seconds}, {"settled", warm_up.settled}};
}

WarmUp warm_up(const std::function<void()>& call, const Settings& settings) {
  WarmUp found;
  const std::int64_t start = now_ns();
  for (int i = 0; i < settings.warmup_runs; ++i) call();
  found.runs = settings.warmup_runs;
  if (settings.warmup_seconds > 0.0) found.settled = false;
  const std::int64_t end = now_ns() + nanoseconds(settings.warmup_seconds);
  std::vector<double> medians;
  while (found.settled && !*found.settled && now_ns() < end) {
    std::vector<std::int64_t> taken;
    for (int i = 0; i < LOOK_RUNS; ++i) taken.push_back(time_of(call));
    found.runs += LOOK_RUNS;
    medians.push_back(median(taken));
    if (medians.size() > LOOKS) medians.erase(medians.begin());
    const auto ends = std::minmax_element(medians.begin(), medians.end());
    found.settled = medians.size() == LOOKS && *ends.second <= *ends.first * (1.0 + SETTLED);
  }
  found.seconds = static_cast<double>(now_ns() - start) / 1e9;
  return found;
}

std::vector<std::int64_t> time_calls(const std::function<void()>& call, const Settings& settings) {
  std::vector<std::int64_t> taken;
  taken.reserve(MOST_RUNS);
  const std::int64_t end = now_ns() + nanoseconds(settings.min_seconds);
  const std::size_t least = static_cast<std::size_t>(settings.min_runs);
  while (taken.size() < std::max(MOST_RUNS, least) && (taken.size() < least || now_ns() < end)) {
    taken.push_back(time_of(call));
  }
  return taken;
}

void time_in_blocks(const std::function<void()>& model, const std::function<StageTimes()>& whole,
                    const Settings& settings, std::vector<std::int64_t>& alone, std::vector<StageTimes>& staged) {
  alone.reserve(MOST_RUNS);
  staged.reserve(MOST_RUNS);
  const std::int64_t end = now_ns() + 2 * nanoseconds(settings.min_seconds);
  const std::size_t least = static_cast<std::size_t>(settings.min_runs), most = std::max(MOST_RUNS, least);
  while (alone.size() < most && (alone.size() < least || now_ns() < end)) {
    const std::int64_t block_end = now_ns() + BLOCK_NS;
    const std::size_t begun = alone.size();
    while (alone.size() - begun < BLOCK_RUNS && alone.size() < most && now_ns() < block_end) {
      alone.push_back(time_of(model));
    }
    for (std::size_t i = begun; i < alone.size(); ++i) staged.push_back(whole());
  }
}

std::vector<std::int64_t> whole_times(const std::vector<StageTimes>& stages) {
  std::vector<std::int64_t> sums;
  for (const StageTimes& one : stages) sums.push_back(std::accumulate(one.begin(), one.end(), std::int64_t{0}));
  return sums;
}

std::vector<std::int64_t> times_of(const std::vector<StageTimes>& stages, Stage stage) {
  std::vector<std::int64_t> times;
  for (const StageTimes& one : stages) times.push_back(one[stage]);
  return times;
}

double median(std::vector<std::int64_t> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  if (samples.size() % 2 == 1) return static_cast<double>(*middle);
  return (static_cast<double>(*std::max_element(samples.begin(), middle)) + static_cast<double>(*middle)) / 2.0;
}

}  // namespace resemote_tools
