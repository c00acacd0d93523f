// System: the files in which a machine tells about itself. Nothing is ever changed; what cannot be read is not known.
#pragma once

#include <string>
#include <vector>

#include "machine/maybe.h"

namespace resemote_tools {

class System {
 public:
  // `root`: folder that holds proc, sys and etc.
  explicit System(std::string root) : root_(std::move(root)) {}
  // The machine this runs on, or the tree of a recorded one that the variable RESEMOTE_ROOT names.
  static System here();

  bool is_this_machine() const { return root_.empty(); }
  std::string path(const std::string& relative) const { return root_ + "/" + relative; }
  // Content without surrounding space and NULs; "" if there is no such file, or it gives nothing.
  std::string text(const std::string& relative) const;
  std::string first_line(const std::string& relative) const;
  Maybe<long long> integer(const std::string& relative) const;
  // Paths that fit a pattern of the shell, sorted, relative to the root.
  std::vector<std::string> matches(const std::string& pattern) const;
  bool exists(const std::string& relative) const;

 private:
  std::string root_;  // "" for this machine
};

std::string last_part(const std::string& path);
std::vector<std::string> lines_of(const std::string& text);
std::string trimmed(const std::string& text);

// Value of a line `key: value` or `key value`, such as those of /proc/meminfo; "" if there is none.
std::string field(const std::string& text, const std::string& key, char separator = ':');

Maybe<long long> parse_integer(const std::string& text);
// Numbers of a list as the kernel writes it, such as "0-3,5"; empty for other text.
std::vector<int> core_list(const std::string& text);

// Cores that this process may use, in order.
std::vector<int> allowed_cores(const System& system);
// Cores for a number of threads: each physical core gets one first, from the highest number down.
std::vector<int> choose_cores(const System& system, int threads);

}  // namespace resemote_tools
