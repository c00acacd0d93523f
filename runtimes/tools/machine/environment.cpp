#include "machine/environment.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "machine/cgroup.h"
#include "machine/jetson.h"
#include "machine/state.h"
#include "text.h"

namespace resemote_tools {
namespace {

// CPU features that decide how fast the engines are, as /proc/cpuinfo spells them.
const char* const FEATURES[] = {"avx2",     "avx512f",  "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16",
                                "amx_int8", "asimd",    "asimddp",  "i8mm",        "bf16",        "sve"};

nlohmann::json or_null(const std::string& text) { return text.empty() ? nlohmann::json() : nlohmann::json(text); }

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string distribution(const System& system) {
  std::string text = system.text("etc/os-release");
  if (text.empty()) text = system.text("usr/lib/os-release");
  std::string name = field(text, "PRETTY_NAME", '=');
  if (name.size() > 1 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front()) {
    name = name.substr(1, name.size() - 2);
  }
  return name.empty() ? "Linux" : name;
}

long long memory_bytes(const System& system, const char* key) {
  std::istringstream value(field(system.text("proc/meminfo"), key));
  long long kilobytes = 0;
  value >> kilobytes;
  return kilobytes * 1024;
}

std::string container(const System& system) {
  if (system.exists("run/.containerenv")) return "podman";
  if (system.exists(".dockerenv")) return "docker";
  const std::string groups = system.text("proc/1/cgroup");
  for (const char* const word : {"docker", "kubepods", "containerd", "crio", "libpod", "lxc"}) {
    if (groups.find(word) != std::string::npos) return word;
  }
  return "";
}

}  // namespace

nlohmann::json capture_environment(const System& system) {
  const std::string cpuinfo = system.text("proc/cpuinfo");
  const bool x86 = !field(cpuinfo, "flags").empty();
  const std::vector<std::string> flags = words_of(x86 ? field(cpuinfo, "flags") : field(cpuinfo, "Features"));
  nlohmann::json features = nlohmann::json::array();
  for (const char* const feature : FEATURES) {
    if (has(flags, feature)) features.push_back(feature);
  }
  std::string model = field(cpuinfo, "model name");
  if (model.empty()) model = field(cpuinfo, "Model");
  const std::vector<int> cores = allowed_cores(system);
  const std::vector<double> loads = load_averages(system);
  const std::string kernel = system.first_line("proc/sys/kernel/osrelease");
  const std::string vendor = system.first_line("sys/class/dmi/id/sys_vendor");
  const std::string product = system.first_line("sys/class/dmi/id/product_name");
  return {{"cpu_model", model.empty() ? "unknown" : model},
          {"cpu_features", features},
          {"cores_allowed", cores.size()},
          {"memory_total_bytes", memory_bytes(system, "MemTotal")},
          {"memory_limit_bytes", memory_limit_bytes(system)},
          {"os", distribution(system)},
          {"kernel", kernel.empty() ? "unknown" : kernel},
          {"python", nullptr},
          {"gpus", nlohmann::json::array()},
          {"jetpack", or_null(system.first_line("etc/nv_tegra_release"))},
          {"board", or_null(system.first_line("proc/device-tree/model"))},
          {"governor", or_null(system.first_line("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))},
          {"load_average_1m", loads.empty() ? 0.0 : loads[0]},
          {"git_commit", nullptr},
          {"allowed_cores", cores},
          {"cpu_quota_cores", cpu_quota_cores(system)},
          {"virtual_machine", x86 ? nlohmann::json(has(flags, "hypervisor")) : nlohmann::json()},
          {"container", or_null(container(system))},
          {"product", or_null(trimmed(vendor + " " + product))},
          {"jetpack_version", or_null(jetpack_version(l4t_release(system)))},
          {"cuda_version", or_null(cuda_version(system))},
          {"tensorrt_version", or_null(tensorrt_version(system))},
          {"power_mode", power_mode(system)}};
}

}  // namespace resemote_tools
