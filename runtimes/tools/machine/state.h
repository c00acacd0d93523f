// MachineState: clocks, temperatures and throttling at one moment, as resemote_edge/machine/state.py describes them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "machine/clocks.h"
#include "machine/jetson.h"
#include "machine/system.h"

namespace resemote_tools {

struct CpuTicks {
  long long total = 0;
  long long stolen = 0;
};

struct MachineState {
  std::vector<std::string> governors;
  Maybe<double> cpu_clock_min_mhz;
  Maybe<double> cpu_clock_max_mhz;
  Maybe<double> cpu_clock_limit_mhz;
  Maybe<bool> clocks_locked;
  std::map<std::string, ClockRange> gpu_clocks;
  std::map<std::string, double> temperatures_c;
  std::map<std::string, long long> throttle_counts;
  std::map<std::string, long long> cooling_states;
  Maybe<double> quota_throttled_seconds;
  Maybe<PowerMode> power_mode;
  Maybe<double> load_average_1m;
  Maybe<CpuTicks> cpu_ticks;
};

void to_json(nlohmann::json& to, const CpuTicks& ticks);
void to_json(nlohmann::json& to, const MachineState& state);

MachineState capture_state(const System& system);
// Only what may come and go during a measurement: limits and heat.
MachineState capture_passing_state(const System& system);
// Load averages over 1, 5 and 15 minutes; empty if they cannot be read.
std::vector<double> load_averages(const System& system);

}  // namespace resemote_tools
