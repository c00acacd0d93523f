// Timing: warms up until times settle, times calls, keeps every sample, clips nothing. The same rules as in
// resemote_edge/measuring/timing.py.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "machine/maybe.h"

namespace resemote_tools {

// Nanoseconds of a clock that only goes forward.
std::int64_t now_ns();

// Nanoseconds of the stages of a decision.
enum Stage { PREPROCESS, INFERENCE, POSTPROCESS, STAGES };
using StageTimes = std::array<std::int64_t, STAGES>;

struct Settings {
  int warmup_runs = 10;         // smallest number of untimed calls
  double warmup_seconds = 5.0;  // longest wait for times to settle after those; 0 for none
  int min_runs = 400;           // smallest number of timed calls, or frames
  double min_seconds = 5.0;     // shortest time that is timed
  double fps = 30.0;            // frames a second, where frames arrive by themselves
  int queue_frames = 1;         // frames that may wait; the oldest is dropped when another arrives
  double window_seconds = 1.0;  // as in reports of resemote-edge; no scenario here uses it
};

void to_json(nlohmann::json& to, const Settings& settings);

// Most timed calls of a measurement.
constexpr std::size_t MOST_RUNS = 20000;

struct WarmUp {
  int runs = 0;
  double seconds = 0.0;
  Maybe<bool> settled;  // not known if that was not waited for
};

void to_json(nlohmann::json& to, const WarmUp& warm_up);

// Calls until the medians of the last looks agree.
WarmUp warm_up(const std::function<void()>& call, const Settings& settings);

// Makes a call again and again; returns the nanoseconds of each.
std::vector<std::int64_t> time_calls(const std::function<void()>& call, const Settings& settings);

// Times the model alone and whole decisions in blocks that take turns.
void time_in_blocks(const std::function<void()>& model, const std::function<StageTimes()>& whole,
                    const Settings& settings, std::vector<std::int64_t>& alone, std::vector<StageTimes>& staged);

// Sum of the stages of each decision.
std::vector<std::int64_t> whole_times(const std::vector<StageTimes>& stages);
std::vector<std::int64_t> times_of(const std::vector<StageTimes>& stages, Stage stage);

double median(std::vector<std::int64_t> samples);

}  // namespace resemote_tools
