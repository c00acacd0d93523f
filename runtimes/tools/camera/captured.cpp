#include "captured.h"

namespace resemote_camera {

void FrameClock::stamp(Captured& captured, double seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  captured.at = Clock::now();
  captured.utc = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (!begun_) start_ = captured.at;
  begun_ = true;
  double at = seconds < 0.0 ? seconds_between(start_, captured.at) : seconds;
  if (at <= last_) at = last_ + 1e-3;
  captured.number = number_++;
  captured.seconds = last_ = at;
}

}  // namespace resemote_camera
