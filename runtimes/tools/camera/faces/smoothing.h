// Smoothing: from the probabilities of single frames to an expression that a person can read. The Python counterpart is
// faces/smoothing.py; all times are in seconds and not in frames.
#pragma once

#include <limits>
#include <vector>

namespace resemote_camera {

struct SmoothingOptions {
  double time_constant_s = 0.2;  // time in which the weight of a frame falls to 1/e; 0 takes each frame by itself
  double hold_s = 0.2;           // time that another label must be ahead before it is shown
  double min_score = 0.4;        // smallest probability of a label that is named
};

// Place of the label that stands for no class: the expression is not clear enough to name it.
constexpr int UNSURE = -1;

// What is shown of one face.
struct Smoothed {
  int label = UNSURE;                 // index of a class, or UNSURE
  double score = 0.0;                 // probability of the most likely class
  std::vector<double> probabilities;  // of each class
};

// Smooths the probabilities of one track.
class Smoother {
 public:
  explicit Smoother(const SmoothingOptions& options = SmoothingOptions()) : options_(options) {}

  // Takes the decision of one frame, later than the one before. Throws ToolError if it is not.
  void update(const std::vector<double>& probabilities, double seconds);

  // Time of the last frame that was taken, seconds; minus infinity before the first.
  double at() const { return at_; }
  // What is shown since then. There must have been one.
  Smoothed current() const;

 private:
  void show(int label, double seconds);

  static constexpr int NOTHING = -2;

  SmoothingOptions options_;
  std::vector<double> mean_;
  double at_ = -std::numeric_limits<double>::infinity();
  int shown_ = NOTHING;
  int rival_ = NOTHING;
  double rival_since_ = 0.0;
};

}  // namespace resemote_camera
