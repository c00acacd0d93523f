#include "machine/thermal.h"

#include <algorithm>
#include <iterator>

namespace resemote_tools {
namespace {

// Processors whose temperature may appear here and not as a thermal zone.
const char* const PROCESSORS[] = {"k10temp", "coretemp", "zenpower"};
// Zones that are switched off report -256 degrees.
constexpr double COLDEST_C = -100.0;

void add_celsius(const System& system, std::map<std::string, double>& found, const std::string& name,
                 const std::string& file) {
  const Maybe<long long> value = system.integer(file);
  const double celsius = static_cast<double>(value.otherwise(0)) / 1e3;
  if (!name.empty() && value && celsius > COLDEST_C) keep_largest(found, name, celsius);
}

// Every CPU of a core or package shows the same event, which is counted once.
void add_cpu_events(const System& system, std::map<std::string, long long>& counts, const std::string& kind) {
  std::map<std::string, long long> once;
  for (const std::string& cpu : system.matches("sys/devices/system/cpu/cpu[0-9]*")) {
    const Maybe<long long> count = system.integer(cpu + "/thermal_throttle/" + kind + "_throttle_count");
    if (!count) continue;
    std::string place = system.text(cpu + "/topology/physical_package_id");
    if (kind == "core") place += "/" + system.text(cpu + "/topology/core_id");
    keep_largest(once, place, *count);
  }
  for (const auto& one : once) counts[kind] += one.second;
}

}  // namespace

std::map<std::string, double> temperatures_c(const System& system) {
  std::map<std::string, double> found;
  for (const std::string& zone : system.matches("sys/class/thermal/thermal_zone*")) {
    add_celsius(system, found, system.text(zone + "/type"), zone + "/temp");
  }
  if (!found.empty()) return found;
  for (const std::string& chip : system.matches("sys/class/hwmon/hwmon*")) {
    const std::string name = system.text(chip + "/name");
    if (std::find(std::begin(PROCESSORS), std::end(PROCESSORS), name) == std::end(PROCESSORS)) continue;
    for (const std::string& file : system.matches(chip + "/temp*_input")) add_celsius(system, found, name, file);
  }
  return found;
}

std::map<std::string, long long> cooling_states(const System& system) {
  std::map<std::string, long long> found;
  for (const std::string& device : system.matches("sys/class/thermal/cooling_device*")) {
    const std::string name = system.text(device + "/type");
    const Maybe<long long> state = system.integer(device + "/cur_state");
    if (!name.empty() && state) keep_largest(found, name, *state);
  }
  return found;
}

std::map<std::string, long long> throttle_counts(const System& system) {
  std::map<std::string, long long> counts;
  for (const std::string& file : system.matches("sys/class/hwmon/hwmon*/oc[0-9]*_event_cnt")) {
    const Maybe<long long> count = system.integer(file);
    const std::string name = last_part(file);
    if (count) counts[name.substr(0, name.find('_'))] = *count;
  }
  add_cpu_events(system, counts, "core");
  add_cpu_events(system, counts, "package");
  return counts;
}

}  // namespace resemote_tools
