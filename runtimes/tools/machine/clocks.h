// Clocks of the cores this process may use, and of a Jetson's GPU.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "machine/system.h"

namespace resemote_tools {

struct ClockRange {
  Maybe<double> now_mhz;
  Maybe<double> lowest_mhz;   // allowed at present
  Maybe<double> highest_mhz;  // allowed at present
};

void to_json(nlohmann::json& to, const ClockRange& clock);

// Frequency governors of some cores, each once.
std::vector<std::string> governors(const System& system, const std::vector<int>& cores);
std::vector<ClockRange> cpu_clocks(const System& system, const std::vector<int>& cores);
// The highest clock that any of the cores may have now.
Maybe<double> cpu_clock_limit_mhz(const System& system, const std::vector<int>& cores);
// Clocks of some cores from /proc/cpuinfo: on x86 only, and in a virtual machine a fixed number.
std::vector<double> cpuinfo_mhz(const System& system, const std::vector<int>& cores);
// Clocks of a Jetson's GPU, by device.
std::map<std::string, ClockRange> gpu_clocks(const System& system);
// Whether no clock has room to move, as after jetson_clocks.
Maybe<bool> are_locked(const std::vector<ClockRange>& clocks);

}  // namespace resemote_tools
