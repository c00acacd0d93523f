// Observer: whoever creates a session and is told what takes long, and may cancel it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "resemote/session.h"

namespace resemote_internal {

class Observer {
 public:
  Observer() = default;
  Observer(resemote_log_function told, resemote_progress_function asked, void* user_data)
      : log_(told), progress_(asked), user_data_(user_data) {}

  void info(const std::string& message) const { log(RESEMOTE_LOG_INFO, message); }
  void warn(const std::string& message) const { log(RESEMOTE_LOG_WARNING, message); }
  bool asks() const { return progress_ != nullptr; }
  // Whether to go on.
  bool goes_on(const char* stage, double seconds, double fraction) const;

 private:
  void log(resemote_log_level level, const std::string& message) const {
    if (log_ != nullptr) log_(user_data_, level, message.c_str());
  }

  resemote_log_function log_ = nullptr;
  resemote_progress_function progress_ = nullptr;
  void* user_data_ = nullptr;
};

// What work that takes long tells of itself, and is told.
struct Progress {
  std::atomic<double> fraction{-1.0};
  std::atomic<bool> cancelled{false};
};

// Runs `work`, in a thread of its own if the observer asks for progress, so that all its functions are called by this
// thread. Throws what `work` throws. Whether it was cancelled is in `progress`, also if `work` has ended well.
void run_observed(const Observer& observer, const char* stage, Progress& progress, const std::function<void()>& work);

}  // namespace resemote_internal
