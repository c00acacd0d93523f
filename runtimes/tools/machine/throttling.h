// Throttling: whether the machine was slowed down while something was measured; watched during the run.
//
// A clock limit that fell and rose again, or a cooling device that worked in between, shows neither before nor after.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "machine/state.h"

namespace resemote_tools {

// What slowed the machine down or heated it between two states, as sentences: those of resemote_edge/machine/state.py.
std::vector<std::string> throttled(const MachineState& before, const MachineState& after);
// Those of them that say that clocks or time were taken away by heat, power or a quota.
std::vector<std::string> slowdowns(const MachineState& before, const MachineState& after);
// Whether a machine would show it if heat or power slowed it down.
bool can_tell_throttling(const MachineState& state);

// Reads the state when it is made, once a second until `stop`, and then.
class ThrottleWatch {
 public:
  explicit ThrottleWatch(const System& system);
  ~ThrottleWatch();
  ThrottleWatch(const ThrottleWatch&) = delete;
  ThrottleWatch& operator=(const ThrottleWatch&) = delete;

  void stop();
  const MachineState& before() const noexcept { return before_; }
  const MachineState& after() const noexcept { return after_; }
  std::vector<std::string> changes() const { return throttled(before_, worst()); }
  // Not known if the machine does not show it, or could not be read in between.
  Maybe<bool> did_throttle() const;

 private:
  void end_thread();
  void watch();
  // The state at the end, with the lowest limit, the hardest cooling and the highest heat that were seen.
  MachineState worst() const;

  System system_;
  MachineState before_, after_;
  std::vector<MachineState> seen_;  // used by the thread while there is one
  bool failed_ = false;             // so is this
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace resemote_tools
