// Tally: counts the decisions of a run as they are made. The Python counterpart is RunTally in camera/summary.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "captured.h"

namespace resemote_camera {

// Time from the capture of a frame to the decision about it, milliseconds.
struct Ages {
  double p50_ms;
  double p95_ms;
  double p99_ms;
  double max_ms;
};

class Tally {
 public:
  void add(double decision_age_ms);

  std::int64_t decided() const { return decided_; }
  // Time from the first decision to the last.
  double seconds() const { return decided_ > 0 ? seconds_between(first_, last_) : 0.0; }
  // Decisions a second; 0 where fewer than two were made.
  double fps() const { return seconds() > 0.0 ? static_cast<double>(decided_ - 1) / seconds() : 0.0; }
  // Over at most the last 108,000 frames. There must be one.
  Ages ages() const;

 private:
  std::int64_t decided_ = 0;
  Clock::time_point first_;
  Clock::time_point last_;
  std::vector<double> ages_;  // a ring once it is full
};

}  // namespace resemote_camera
