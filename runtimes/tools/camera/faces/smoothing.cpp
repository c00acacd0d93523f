#include "smoothing.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "../../errors.h"

namespace resemote_camera {

void Smoother::update(const std::vector<double>& probabilities, double seconds) {
  if (!std::isfinite(seconds) || seconds <= at_) {
    throw resemote_tools::ToolError("a frame at " + std::to_string(seconds) + " s cannot follow one at " +
                                    std::to_string(at_) + " s");
  }
  double keep = 0.0;
  if (!mean_.empty() && options_.time_constant_s > 0.0) keep = std::exp(-(seconds - at_) / options_.time_constant_s);
  mean_.resize(probabilities.size(), 0.0);
  for (std::size_t label = 0; label < probabilities.size(); ++label) {
    mean_[label] = keep * mean_[label] + (1.0 - keep) * probabilities[label];
  }
  at_ = seconds;
  const auto best = std::max_element(mean_.begin(), mean_.end());
  show(*best >= options_.min_score ? static_cast<int>(best - mean_.begin()) : UNSURE, seconds);
}

Smoothed Smoother::current() const {
  Smoothed smoothed;
  smoothed.label = shown_;
  smoothed.score = *std::max_element(mean_.begin(), mean_.end());
  smoothed.probabilities = mean_;
  return smoothed;
}

// Changes what is shown once another label has been ahead for long enough.
void Smoother::show(int label, double seconds) {
  if (shown_ == NOTHING || label == shown_) {
    shown_ = label;
    rival_ = NOTHING;
    return;
  }
  if (label != rival_) {
    rival_ = label;
    rival_since_ = seconds;
  }
  if (seconds - rival_since_ >= options_.hold_s) {
    shown_ = label;
    rival_ = NOTHING;
  }
}

}  // namespace resemote_camera
