#include "schedule.h"

#include <algorithm>
#include <cmath>

namespace resemote_camera {
namespace {

// Longest time without a look, seconds: a new face should not wait for longer.
constexpr double MOST_S = 0.25;

// Share of the time between two frames that work may take; the rest is for reading, outputs and the system.
constexpr double LOAD = 0.7;

// Weight of the newest measurement.
constexpr double WEIGHT = 0.1;

double mean(double before, double value) { return before < 0.0 ? value : before + WEIGHT * (value - before); }

}  // namespace

// The first frame is looked at.
DetectionSchedule::DetectionSchedule(int every) : auto_(every == 0), every_(auto_ ? 1 : every), since_(every_ - 1) {}

bool DetectionSchedule::due() {
  if (++since_ < every_) return false;
  since_ = 0;
  return true;
}

void DetectionSchedule::record(double detecting, double rest, double interval) {
  if (!auto_) return;
  if (detecting >= 0.0) detecting_ = mean(detecting_, detecting);
  rest_ = mean(rest_, rest);
  if (interval >= 0.0) interval_ = mean(interval_, interval);
  if (interval_ < 0.0 || detecting_ < 0.0) return;
  const double spare = LOAD * interval_ - rest_;
  const double most = std::max(1.0, std::floor(MOST_S / interval_));
  every_ = static_cast<int>(spare > 0.0 ? std::max(1.0, std::min(most, std::ceil(detecting_ / spare))) : most);
}

}  // namespace resemote_camera
