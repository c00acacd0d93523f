#include "machine/clocks.h"

#include <algorithm>
#include <cstdlib>

namespace resemote_tools {
namespace {

const char* const DEVFREQ[] = {"sys/class/devfreq/*", "sys/devices/*/devfreq/*", "sys/devices/platform/*/devfreq/*"};
// Parts of the names of Jetsons' GPUs; other units have clocks as well.
const char* const GPUS[] = {"gpu", "gp10b", "gv11b", "ga10b", "gb10b"};

std::string cpufreq(int core) { return "sys/devices/system/cpu/cpu" + std::to_string(core) + "/cpufreq/"; }

Maybe<double> megahertz(const System& system, const std::string& file, double per_mhz) {
  const Maybe<long long> value = system.integer(file);
  return value ? Maybe<double>(static_cast<double>(*value) / per_mhz) : Maybe<double>();
}

ClockRange range(const System& system, const std::string& start, double per_mhz) {
  ClockRange clock;
  clock.now_mhz = megahertz(system, start + "cur_freq", per_mhz);
  clock.lowest_mhz = megahertz(system, start + "min_freq", per_mhz);
  clock.highest_mhz = megahertz(system, start + "max_freq", per_mhz);
  return clock;
}

}  // namespace

void to_json(nlohmann::json& to, const ClockRange& clock) {
  to = {{"now_mhz", clock.now_mhz}, {"lowest_mhz", clock.lowest_mhz}, {"highest_mhz", clock.highest_mhz}};
}

std::vector<std::string> governors(const System& system, const std::vector<int>& cores) {
  std::vector<std::string> found;
  for (const int core : cores) {
    const std::string name = system.text(cpufreq(core) + "scaling_governor");
    if (!name.empty()) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<ClockRange> cpu_clocks(const System& system, const std::vector<int>& cores) {
  std::vector<ClockRange> clocks;
  for (const int core : cores) clocks.push_back(range(system, cpufreq(core) + "scaling_", 1e3));
  return clocks;
}

Maybe<double> cpu_clock_limit_mhz(const System& system, const std::vector<int>& cores) {
  Maybe<double> largest;
  for (const int core : cores) {
    const Maybe<double> limit = megahertz(system, cpufreq(core) + "scaling_max_freq", 1e3);
    if (limit && *limit > largest.otherwise(-1.0)) largest = limit;
  }
  return largest;
}

std::vector<double> cpuinfo_mhz(const System& system, const std::vector<int>& cores) {
  std::vector<double> clocks;
  long long core = -1;
  for (const std::string& line : lines_of(system.text("proc/cpuinfo"))) {
    const std::string number = field(line, "processor"), clock = field(line, "cpu MHz");
    if (!number.empty()) core = parse_integer(number).otherwise(-1);
    if (clock.empty() || std::find(cores.begin(), cores.end(), core) == cores.end()) continue;
    clocks.push_back(std::strtod(clock.c_str(), nullptr));
  }
  return clocks;
}

std::map<std::string, ClockRange> gpu_clocks(const System& system) {
  std::map<std::string, ClockRange> clocks;
  for (const char* const pattern : DEVFREQ) {
    for (const std::string& folder : system.matches(pattern)) {
      const std::string name = last_part(folder);
      const bool gpu = std::any_of(std::begin(GPUS), std::end(GPUS),
                                   [&](const char* part) { return name.find(part) != std::string::npos; });
      if (gpu) clocks[name] = range(system, folder + "/", 1e6);
    }
  }
  return clocks;
}

Maybe<bool> are_locked(const std::vector<ClockRange>& clocks) {
  Maybe<bool> locked;
  for (const ClockRange& clock : clocks) {
    if (!clock.lowest_mhz || !clock.highest_mhz) continue;
    locked = Maybe<bool>(locked.otherwise(true) && *clock.lowest_mhz == *clock.highest_mhz);
  }
  return locked;
}

}  // namespace resemote_tools
