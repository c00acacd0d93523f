#include "machine/jetson.h"

#include <algorithm>
#include <cstdio>

namespace resemote_tools {
namespace {

struct Release {
  const char* l4t;
  const char* jetpack;
};

// The table of resemote_edge/machine/jetson.py; a test compares them. The longest beginning that fits holds.
constexpr Release JETPACKS[] = {
    {"32.4", "4.4.x"},
    {"32.5", "4.5.x"},
    {"32.6", "4.6"},
    {"32.7", "4.6.x"},
    {"32.7.1", "4.6.1"},
    {"32.7.2", "4.6.2"},
    {"32.7.3", "4.6.3"},
    {"32.7.4", "4.6.4"},
    {"32.7.5", "4.6.5"},
    {"32.7.6", "4.6.6"},
    {"35.1", "5.0.2"},
    {"35", "5.1.x"},
    {"35.2.1", "5.1"},
    {"35.3.1", "5.1.1"},
    {"35.4.1", "5.1.2"},
    {"35.5.0", "5.1.3"},
    {"35.6.0", "5.1.4"},
    {"35.6", "5.1.x"},
    {"36.2", "6.0 DP"},
    {"36.3", "6.0"},
    {"36.4", "6.x"},
    {"36.4.0", "6.1"},
    {"36.4.3", "6.2"},
    {"36.4.4", "6.2.1"},
    {"36.4.7", "6.2.1"},
    {"36", "6.x"},
    {"38.2", "7.0"},
    {"38.4", "7.1"},
    {"38", "7.x"},
};

const char* const TENSORRT[] = {"usr/lib/*/libnvinfer.so.*", "usr/local/tensorrt/lib/libnvinfer.so.*"};

// Numbers of a version such as 8.2.1; empty if it is none.
std::vector<long long> numbers_of(const std::string& version) {
  std::vector<long long> numbers;
  for (std::size_t at = 0; at <= version.size();) {
    const std::size_t dot = std::min(version.find('.', at), version.size());
    const Maybe<long long> number = parse_integer(version.substr(at, dot - at));
    if (!number) return {};
    numbers.push_back(*number);
    at = dot + 1;
  }
  return numbers;
}

std::string name_of_mode(const System& system, long long id) {
  for (const std::string& line : lines_of(system.text("etc/nvpmodel.conf"))) {
    const std::size_t at = line.find("POWER_MODEL");
    long long found = -1;
    char name[64] = "";
    if (at == std::string::npos) continue;
    const int read = std::sscanf(line.c_str() + at, "POWER_MODEL ID=%lld NAME=%63[^ \t>]", &found, name);
    if (read == 2 && found == id) return name;
  }
  return "";
}

}  // namespace

void to_json(nlohmann::json& to, const PowerMode& mode) {
  to = {{"id", mode.id}, {"name", nullptr}};
  if (!mode.name.empty()) to["name"] = mode.name;
}

std::string l4t_release(const System& system) {
  const std::string line = system.first_line("etc/nv_tegra_release");
  const std::size_t at = line.find('R');
  int major = 0;
  char revision[32] = "";
  if (at == std::string::npos ||
      std::sscanf(line.c_str() + at, "R%d (release), REVISION: %31[0-9.]", &major, revision) != 2) {
    return "";
  }
  return std::to_string(major) + "." + revision;
}

std::string jetpack_version(const std::string& release) {
  for (std::string start = release; !start.empty();) {
    for (const Release& one : JETPACKS) {
      if (start == one.l4t) return one.jetpack;
    }
    const std::size_t dot = start.rfind('.');
    start.erase(dot == std::string::npos ? 0 : dot);
  }
  return "";
}

Maybe<PowerMode> power_mode(const System& system) {
  const std::string status = system.text("var/lib/nvpmodel/status");
  const std::size_t at = status.find("pmode:");
  PowerMode mode;
  if (at == std::string::npos || std::sscanf(status.c_str() + at, "pmode:%lld", &mode.id) != 1) return {};
  mode.name = name_of_mode(system, mode.id);
  return mode;
}

std::string cuda_version(const System& system) {
  const nlohmann::json facts = nlohmann::json::parse(system.text("usr/local/cuda/version.json"), nullptr, false);
  const nlohmann::json cuda = facts.is_object() ? facts.value("cuda", nlohmann::json()) : nlohmann::json();
  const nlohmann::json version = cuda.is_object() ? cuda.value("version", nlohmann::json()) : nlohmann::json();
  if (version.is_string()) return version.get<std::string>();
  // Before CUDA 11.1, another file holds a sentence.
  char words[32] = "";
  std::sscanf(system.text("usr/local/cuda/version.txt").c_str(), "CUDA Version %31[0-9.]", words);
  return words;
}

std::string tensorrt_version(const System& system) {
  std::string best;
  for (const char* const pattern : TENSORRT) {
    for (const std::string& file : system.matches(pattern)) {
      const std::string name = last_part(file);
      const std::string version = name.substr(name.find(".so.") + 4);
      const std::vector<long long> found = numbers_of(version), kept = numbers_of(best);
      // The file's name ends in the version; links to it are shorter.
      if (found.size() > 1 && (found.size() != kept.size() ? found.size() > kept.size() : found > kept)) best = version;
    }
  }
  return best;
}

}  // namespace resemote_tools
