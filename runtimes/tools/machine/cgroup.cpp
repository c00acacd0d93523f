#include "machine/cgroup.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <set>

namespace resemote_tools {
namespace {

const std::string MOUNT = "sys/fs/cgroup";
// cgroup v1 says "none" with the largest multiple of a page that fits 63 bits.
constexpr long long NO_LIMIT_BYTES = 1LL << 60;

struct Membership {
  std::string controllers;  // "" for v2
  std::string path;
};

std::vector<Membership> memberships(const System& system) {
  std::vector<Membership> found;
  for (const std::string& line : lines_of(system.text("proc/self/cgroup"))) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    found.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return found;
}

// The group's folder, those above it, and the mount; some may not exist.
void add_upwards(std::vector<std::string>& folders, const std::string& mount, std::string path) {
  // A path with ".." leads to a group outside of this namespace.
  while (path.size() > 1 && path.find("..") == std::string::npos) {
    folders.push_back(mount + path);
    path.erase(path.rfind('/'));
  }
  folders.push_back(mount);
}

bool names(const std::string& controllers, const std::string& controller) {
  return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
}

// Folders of cgroup v2 if no controller is named, and of v1 otherwise; without other names of the same one.
std::vector<std::string> folders_of(const System& system, const std::string& controller) {
  std::vector<std::string> folders;
  bool listed = false;
  for (const Membership& one : memberships(system)) {
    if (controller.empty() ? !one.controllers.empty() : !names(one.controllers, controller)) continue;
    listed = true;
    // systemd's hybrid layout mounts v2 under a second name; a mount of v1 has the names of all its controllers, or one.
    const std::string other = controller.empty() ? MOUNT + "/unified" : MOUNT + "/" + controller;
    add_upwards(folders, controller.empty() ? MOUNT : MOUNT + "/" + one.controllers, one.path);
    add_upwards(folders, other, one.path);
  }
  if (!listed && controller.empty()) folders = {MOUNT, MOUNT + "/unified"};
  std::vector<std::string> once;
  std::set<std::string> seen;
  for (const std::string& folder : folders) {
    char* const real = realpath(system.path(folder).c_str(), nullptr);
    if (real != nullptr && seen.insert(real).second) once.push_back(folder);
    std::free(real);
  }
  return once;
}

template <typename T>
void keep_least(Maybe<T>& least, T value) {
  if (!least || value < *least) least = Maybe<T>(value);
}

}  // namespace

Maybe<double> cpu_quota_cores(const System& system) {
  Maybe<double> least;
  for (const std::string& folder : folders_of(system, "")) {
    const std::string text = system.text(folder + "/cpu.max");
    const std::size_t space = text.find(' ');
    const Maybe<long long> quota = parse_integer(text.substr(0, space));
    const Maybe<long long> period = parse_integer(space == std::string::npos ? "" : text.substr(space + 1));
    if (quota && period && *period > 0) keep_least(least, static_cast<double>(*quota) / static_cast<double>(*period));
  }
  for (const std::string& folder : folders_of(system, "cpu")) {
    const Maybe<long long> quota = system.integer(folder + "/cpu.cfs_quota_us");
    const Maybe<long long> period = system.integer(folder + "/cpu.cfs_period_us");
    if (quota && period && *quota > 0 && *period > 0) {
      keep_least(least, static_cast<double>(*quota) / static_cast<double>(*period));
    }
  }
  return least;
}

Maybe<long long> memory_limit_bytes(const System& system) {
  Maybe<long long> least;
  const auto look = [&](const std::string& controller, const char* name) {
    for (const std::string& folder : folders_of(system, controller)) {
      const Maybe<long long> limit = system.integer(folder + name);
      if (limit && *limit < NO_LIMIT_BYTES) keep_least(least, *limit);
    }
  };
  look("", "/memory.max");
  look("memory", "/memory.limit_in_bytes");
  return least;
}

Maybe<double> throttled_seconds(const System& system) {
  Maybe<double> sum;
  const auto look = [&](const std::string& controller, const char* key, double unit_s) {
    for (const std::string& folder : folders_of(system, controller)) {
      const Maybe<long long> wait = parse_integer(field(system.text(folder + "/cpu.stat"), key, ' '));
      if (wait) sum = Maybe<double>(sum.otherwise(0.0) + static_cast<double>(*wait) * unit_s);
    }
  };
  look("", "throttled_usec", 1e-6);
  look("cpu", "throttled_time", 1e-9);
  return sum;
}

}  // namespace resemote_tools
