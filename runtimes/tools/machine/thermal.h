// Thermal: temperatures, the cooling that works against them, and how often the machine had to slow down.
#pragma once

#include <map>
#include <string>

#include "machine/system.h"

namespace resemote_tools {

// Degrees by thermal zone; by processor chip if there is no zone.
std::map<std::string, double> temperatures_c(const System& system);
// State of each cooling device by its type: 0 when it is idle. Slowing a clock down is cooling as well.
std::map<std::string, long long> cooling_states(const System& system);
// Throttling events since boot: oc1 (under-voltage), oc2 and oc3 (over-current) on Jetson Orin and later; core and
// package on x86.
std::map<std::string, long long> throttle_counts(const System& system);

// Keeps the larger value of a name.
template <typename Number>
void keep_largest(std::map<std::string, Number>& values, const std::string& name, Number value) {
  const auto placed = values.emplace(name, value);
  if (!placed.second && value > placed.first->second) placed.first->second = value;
}

}  // namespace resemote_tools
