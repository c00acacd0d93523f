// How far a command is, on stderr: a line for images, and one for engines that the library builds.
#pragma once

#include <cstddef>
#include <string>

#include "resemote/runtime.hpp"
#include "signals.h"

namespace resemote_tools {

// Shown if stderr is a terminal.
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

// Shows how far the library is with an engine: on a terminal every second, else every minute. Asks it to stop when a
// signal did. It must live while the options are used.
class BuildProgress {
 public:
  explicit BuildProgress(resemote_session_options& options);
  // Erases the line.
  ~BuildProgress();
  BuildProgress(const BuildProgress&) = delete;
  BuildProgress& operator=(const BuildProgress&) = delete;

  // Throws Interrupted if a signal was the reason why there is no session.
  void check() const { stop_.check(); }

 private:
  std::int32_t show(const resemote_progress& progress) noexcept;

  StopRequest stop_;
  double shown_s_ = 0.0;
  bool on_terminal_;
  bool erase_ = false;
};

// A session or classifier, made as `Opened(artifact, options, more...)`. If its engine must be built first, that is shown.
// Throws Failure, and Interrupted if a signal ended the building.
template <typename Opened, typename... More>
Opened open_with_progress(const std::string& artifact, resemote_session_options options, const More&... more) {
  const BuildProgress progress(options);
  try {
    return Opened(artifact, options, more...);
  } catch (const resemote::Failure&) {
    progress.check();
    throw;
  }
}

}  // namespace resemote_tools
