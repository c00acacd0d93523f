// Progress: a line on stderr that says how far a command is, if stderr is a terminal.
#pragma once

#include <cstddef>
#include <string>

namespace resemote_tools {

class Progress {
 public:
  Progress(const std::string& what, std::size_t total);
  // Erases the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::size_t done);

 private:
  std::string what_;
  std::size_t total_;
  bool shown_;
  int percent_ = -1;
};

}  // namespace resemote_tools
