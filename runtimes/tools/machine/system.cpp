#include "machine/system.h"

#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

namespace resemote_tools {
namespace {

constexpr std::size_t MOST_BYTES = 1 << 20;
constexpr int MOST_CORES = 1 << 14;
const char CPUS[] = "sys/devices/system/cpu/cpu";

std::vector<int> siblings(const System& system, int core) {
  const std::string folder = CPUS + std::to_string(core) + "/topology/";
  const std::string newer = system.text(folder + "core_cpus_list");
  // Kernels before 5.3 have the second name.
  return core_list(newer.empty() ? system.text(folder + "thread_siblings_list") : newer);
}

}  // namespace

System System::here() {
  const char* const given = std::getenv("RESEMOTE_ROOT");
  std::string root = given == nullptr ? "" : given;
  while (!root.empty() && root.back() == '/') root.pop_back();
  return System(root);
}

std::string System::text(const std::string& relative) const {
  const int descriptor = open(path(relative).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return "";
  // Read while a model is measured, and most files hold one number: a large buffer would push the model out of the caches.
  char buffer[4096];
  std::string content;
  while (content.size() < MOST_BYTES) {
    const ssize_t got = read(descriptor, buffer, std::min(sizeof buffer, MOST_BYTES - content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  close(descriptor);
  content.erase(std::remove(content.begin(), content.end(), '\0'), content.end());
  return trimmed(content);
}

std::string System::first_line(const std::string& relative) const {
  const std::string content = text(relative);
  return content.substr(0, content.find('\n'));
}

Maybe<long long> System::integer(const std::string& relative) const { return parse_integer(text(relative)); }

std::vector<std::string> System::matches(const std::string& pattern) const {
  std::vector<std::string> found;
  glob_t results;
  if (glob(path(pattern).c_str(), 0, nullptr, &results) == 0) {
    for (std::size_t i = 0; i < results.gl_pathc; ++i) found.push_back(std::string(results.gl_pathv[i]).substr(root_.size() + 1));
  }
  globfree(&results);
  std::sort(found.begin(), found.end());
  return found;
}

bool System::exists(const std::string& relative) const { return access(path(relative).c_str(), F_OK) == 0; }

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string trimmed(const std::string& text) {
  const char* const space = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string field(const std::string& text, const std::string& key, char separator) {
  for (const std::string& line : lines_of(text)) {
    const std::size_t at = line.find(separator);
    if (at != std::string::npos && trimmed(line.substr(0, at)) == key) return trimmed(line.substr(at + 1));
  }
  return "";
}

Maybe<long long> parse_integer(const std::string& text) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  return text.empty() || *end != '\0' ? Maybe<long long>() : Maybe<long long>(value);
}

std::vector<int> core_list(const std::string& text) {
  std::vector<int> cores;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    int first = 0, last = 0;
    char rest = '\0';
    const int found = std::sscanf(part.c_str(), "%d-%d%c", &first, &last, &rest);
    if (found == 1) last = first;
    if (found < 1 || found > 2 || first < 0 || last > MOST_CORES) return {};
    for (int core = first; core <= last; ++core) cores.push_back(core);
  }
  return cores;
}

std::vector<int> allowed_cores(const System& system) {
  if (!system.is_this_machine()) {
    const std::string listed = field(system.text("proc/self/status"), "Cpus_allowed_list");
    return core_list(listed.empty() ? system.text("sys/devices/system/cpu/online") : listed);
  }
  std::vector<int> cores;
  const std::size_t bytes = CPU_ALLOC_SIZE(MOST_CORES);
  cpu_set_t* const set = CPU_ALLOC(MOST_CORES);
  if (set != nullptr && sched_getaffinity(0, bytes, set) == 0) {
    for (int core = 0; core < MOST_CORES; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), bytes, set)) cores.push_back(core);
    }
  }
  CPU_FREE(set);
  return cores;
}

std::vector<int> choose_cores(const System& system, int threads) {
  std::vector<int> cores = allowed_cores(system);
  std::map<std::vector<int>, int> seen;
  std::map<int, int> rank;
  for (const int core : cores) {
    const std::vector<int> shared = siblings(system, core);
    rank[core] = seen[shared.empty() ? std::vector<int>{core} : shared]++;
  }
  std::sort(cores.begin(), cores.end(), [&](int a, int b) {
    return rank[a] != rank[b] ? rank[a] < rank[b] : a > b;
  });
  cores.resize(std::min(cores.size(), static_cast<std::size_t>(threads)));
  std::sort(cores.begin(), cores.end());
  return cores;
}

}  // namespace resemote_tools
