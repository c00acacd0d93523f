// Captured: a frame and its times.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <opencv2/core/mat.hpp>

#include "resemote/runtime.hpp"

namespace resemote_camera {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

struct Captured {
  cv::Mat pixels;             // whose memory the frame points into; nobody writes to it
  resemote_frame frame = RESEMOTE_FRAME_INIT;
  std::int64_t number = 0;    // as the source counts its frames, from 0
  double seconds = 0.0;       // since the first frame; in a film, the film's own time. Strictly increasing
  Clock::time_point at;       // moment at which the source handed the frame over
  double utc = 0.0;           // the same moment, seconds since 1970
};

// Numbers and times of the frames of one stream, which go on when the stream is opened again. Any thread may use it.
class FrameClock {
 public:
  // Gives a frame its number and times. `seconds`: time of the frame in its film; negative for the time that went by
  // since the first frame. Films whose times stand still or jump back get later ones.
  void stamp(Captured& captured, double seconds);

 private:
  std::mutex mutex_;
  bool begun_ = false;
  Clock::time_point start_;
  std::int64_t number_ = 0;
  double last_ = -1.0;
};

}  // namespace resemote_camera
