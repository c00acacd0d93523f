#include "machine/throttling.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "machine/thermal.h"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

// Changes below these are normal.
constexpr double HEATED_BY_C = 10.0;
constexpr double SLOWED_BY_SHARE = 0.02;
constexpr double STOLEN_SHARE = 0.01;
constexpr std::chrono::seconds INTERVAL(1);

const std::map<std::string, std::string>& events() {
  static const std::map<std::string, std::string> sentences = {
      {"core", "a core was too hot and slowed down"},
      {"package", "a processor was too hot and slowed down"},
      {"oc1", "the supply's voltage was too low and the module slowed down"},
      {"oc2", "the supply's mean current was too high and the module slowed down"},
      {"oc3", "the supply's peak current was too high and the module slowed down"},
  };
  return sentences;
}

std::string round_number(double value) { return format_number("%.0f", value); }

bool is_fan(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("fan") != std::string::npos;
}

bool is_slower(const Maybe<double>& first, const Maybe<double>& second) {
  return first && second && *second < *first * (1 - SLOWED_BY_SHARE);
}

void add_events(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  for (const auto& count : after.throttle_counts) {
    const auto was = before.throttle_counts.find(count.first);
    const long long more = was == before.throttle_counts.end() ? 0 : count.second - was->second;
    const auto sentence = events().find(count.first);
    if (more <= 0) continue;
    found.push_back((sentence == events().end() ? count.first : sentence->second) + ", " + std::to_string(more) +
                    " time" + (more > 1 ? "s" : ""));
  }
}

void add_limit(std::vector<std::string>& found, const std::string& what, const Maybe<double>& first,
               const Maybe<double>& second) {
  if (!is_slower(first, second)) return;
  found.push_back(what + " fell from " + round_number(*first) + " to " + round_number(*second) + " MHz");
}

void add_slower_clocks(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  add_limit(found, "the CPU's clock limit", before.cpu_clock_limit_mhz, after.cpu_clock_limit_mhz);
  for (const auto& clock : after.gpu_clocks) {
    const auto was = before.gpu_clocks.find(clock.first);
    if (was == before.gpu_clocks.end()) continue;
    add_limit(found, "the clock limit of " + clock.first, was->second.highest_mhz, clock.second.highest_mhz);
  }
  if (after.clocks_locked.otherwise(false) && is_slower(after.cpu_clock_limit_mhz, after.cpu_clock_max_mhz)) {
    found.push_back("the CPU's clock is locked at " + round_number(*after.cpu_clock_limit_mhz) + " MHz and was at " +
                    round_number(*after.cpu_clock_max_mhz) + " MHz");
  }
}

void add_cooling(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  for (const auto& device : after.cooling_states) {
    const auto was = before.cooling_states.find(device.first);
    const long long first = std::max(was == before.cooling_states.end() ? device.second : was->second, 0LL);
    if (device.second <= first || is_fan(device.first)) continue;  // a fan costs no speed
    found.push_back(device.first + " was throttled, from step " + std::to_string(first) + " to step " +
                    std::to_string(device.second));
  }
}

void add_held_back(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  if (!before.quota_throttled_seconds || !after.quota_throttled_seconds) return;
  const double held = *after.quota_throttled_seconds - *before.quota_throttled_seconds;
  if (held > 0) {
    found.push_back("the control group's CPU quota held processes back for " + format_number("%.2f s", held));
  }
}

void add_stolen(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  if (!before.cpu_ticks || !after.cpu_ticks) return;
  const double passed = static_cast<double>(after.cpu_ticks->total - before.cpu_ticks->total);
  const double stolen = static_cast<double>(after.cpu_ticks->stolen - before.cpu_ticks->stolen);
  if (passed > 0 && stolen / passed > STOLEN_SHARE) {
    found.push_back("the host gave " + format_number("%.1f%%", stolen / passed * 100) +
                    " of this machine's CPU time to others");
  }
}

std::string governors_text(const std::vector<std::string>& names) {
  return names.empty() ? "unknown" : joined(names, " and ");
}

std::string mode_text(const Maybe<PowerMode>& mode) { return mode ? mode->text() : "unknown"; }

void add_settings(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  if (before.governors != after.governors) {
    found.push_back("the governor changed from " + governors_text(before.governors) + " to " +
                    governors_text(after.governors));
  }
  if (mode_text(before.power_mode) != mode_text(after.power_mode)) {
    found.push_back("the power mode changed from " + mode_text(before.power_mode) + " to " +
                    mode_text(after.power_mode));
  }
}

void add_heat(std::vector<std::string>& found, const MachineState& before, const MachineState& after) {
  for (const auto& zone : after.temperatures_c) {
    const auto was = before.temperatures_c.find(zone.first);
    if (was == before.temperatures_c.end() || zone.second - was->second < HEATED_BY_C) continue;
    found.push_back(zone.first + " heated from " + round_number(was->second) + " to " + round_number(zone.second) +
                    " \xc2\xb0" "C");
  }
}

void keep_lower(Maybe<double>& least, const Maybe<double>& value) {
  if (value && (!least || *value < *least)) least = value;
}

}  // namespace

std::vector<std::string> slowdowns(const MachineState& before, const MachineState& after) {
  std::vector<std::string> found;
  add_events(found, before, after);
  add_slower_clocks(found, before, after);
  add_cooling(found, before, after);
  add_held_back(found, before, after);
  return found;
}

std::vector<std::string> throttled(const MachineState& before, const MachineState& after) {
  std::vector<std::string> found = slowdowns(before, after);
  add_stolen(found, before, after);
  add_settings(found, before, after);
  add_heat(found, before, after);
  return found;
}

bool can_tell_throttling(const MachineState& state) {
  return !state.throttle_counts.empty() ||
         std::any_of(state.cooling_states.begin(), state.cooling_states.end(),
                     [](const std::pair<const std::string, long long>& device) { return !is_fan(device.first); });
}

ThrottleWatch::ThrottleWatch(const System& system)
    : system_(system), before_(capture_state(system)), thread_(&ThrottleWatch::watch, this) {}

ThrottleWatch::~ThrottleWatch() { end_thread(); }

void ThrottleWatch::end_thread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ThrottleWatch::stop() {
  end_thread();
  after_ = capture_state(system_);
}

void ThrottleWatch::watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_changed_.wait_for(lock, INTERVAL, [this] { return ended_; })) {
    lock.unlock();
    try {
      seen_.push_back(capture_passing_state(system_));
    } catch (const std::exception&) {  // nobody else would catch it in this thread
      failed_ = true;
      return;
    }
    lock.lock();
  }
}

Maybe<bool> ThrottleWatch::did_throttle() const {
  if (!slowdowns(before_, worst()).empty()) return true;
  return !failed_ && can_tell_throttling(before_) && can_tell_throttling(after_) ? Maybe<bool>(false) : Maybe<bool>();
}

MachineState ThrottleWatch::worst() const {
  MachineState state = after_;
  for (const MachineState& one : seen_) {
    keep_lower(state.cpu_clock_limit_mhz, one.cpu_clock_limit_mhz);
    for (auto& clock : state.gpu_clocks) {
      const auto found = one.gpu_clocks.find(clock.first);
      if (found != one.gpu_clocks.end()) keep_lower(clock.second.highest_mhz, found->second.highest_mhz);
    }
    for (const auto& device : one.cooling_states) keep_largest(state.cooling_states, device.first, device.second);
    for (const auto& zone : one.temperatures_c) keep_largest(state.temperatures_c, zone.first, zone.second);
  }
  return state;
}

}  // namespace resemote_tools
