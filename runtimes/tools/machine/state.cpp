#include "machine/state.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "machine/cgroup.h"
#include "machine/thermal.h"

namespace resemote_tools {
namespace {

constexpr int STOLEN = 7;  // its place among the times of /proc/stat; those after it are already in the user's

Maybe<CpuTicks> cpu_ticks(const System& system) {
  std::istringstream line(system.first_line("proc/stat"));
  std::string name;
  line >> name;
  if (name != "cpu") return {};
  CpuTicks ticks;
  for (int place = 0; place <= STOLEN; ++place) {
    if (!(line >> ticks.stolen)) return {};
    ticks.total += ticks.stolen;
  }
  return ticks;
}

}  // namespace

void to_json(nlohmann::json& to, const CpuTicks& ticks) { to = {{"total", ticks.total}, {"stolen", ticks.stolen}}; }

void to_json(nlohmann::json& to, const MachineState& state) {
  to = {{"governors", state.governors},
        {"cpu_clock_min_mhz", state.cpu_clock_min_mhz},
        {"cpu_clock_max_mhz", state.cpu_clock_max_mhz},
        {"cpu_clock_limit_mhz", state.cpu_clock_limit_mhz},
        {"clocks_locked", state.clocks_locked},
        {"gpu_clocks", state.gpu_clocks},
        {"temperatures_c", state.temperatures_c},
        {"throttle_counts", state.throttle_counts},
        {"cooling_states", state.cooling_states},
        {"quota_throttled_seconds", state.quota_throttled_seconds},
        {"power_mode", state.power_mode},
        {"load_average_1m", state.load_average_1m},
        {"cpu_ticks", state.cpu_ticks}};
}

MachineState capture_state(const System& system) {
  const std::vector<int> cores = allowed_cores(system);
  const std::vector<ClockRange> cpu = cpu_clocks(system, cores);
  MachineState state;
  state.governors = governors(system, cores);
  state.gpu_clocks = gpu_clocks(system);
  std::vector<double> now;
  for (const ClockRange& clock : cpu) {
    if (clock.now_mhz) now.push_back(*clock.now_mhz);
  }
  if (now.empty()) now = cpuinfo_mhz(system, cores);
  if (!now.empty()) {
    state.cpu_clock_min_mhz = *std::min_element(now.begin(), now.end());
    state.cpu_clock_max_mhz = *std::max_element(now.begin(), now.end());
  }
  state.cpu_clock_limit_mhz = cpu_clock_limit_mhz(system, cores);
  std::vector<ClockRange> all = cpu;
  for (const auto& clock : state.gpu_clocks) all.push_back(clock.second);
  state.clocks_locked = are_locked(all);
  state.temperatures_c = temperatures_c(system);
  state.throttle_counts = throttle_counts(system);
  state.cooling_states = cooling_states(system);
  state.quota_throttled_seconds = throttled_seconds(system);
  state.power_mode = power_mode(system);
  const std::vector<double> loads = load_averages(system);
  if (!loads.empty()) state.load_average_1m = loads[0];
  state.cpu_ticks = cpu_ticks(system);
  return state;
}

MachineState capture_passing_state(const System& system) {
  MachineState state;
  state.cpu_clock_limit_mhz = cpu_clock_limit_mhz(system, allowed_cores(system));
  state.gpu_clocks = gpu_clocks(system);
  state.temperatures_c = temperatures_c(system);
  state.cooling_states = cooling_states(system);
  return state;
}

std::vector<double> load_averages(const System& system) {
  double loads[3];
  const std::string text = system.text("proc/loadavg");
  if (std::sscanf(text.c_str(), "%lf %lf %lf", &loads[0], &loads[1], &loads[2]) != 3) return {};
  return {loads[0], loads[1], loads[2]};
}

}  // namespace resemote_tools
