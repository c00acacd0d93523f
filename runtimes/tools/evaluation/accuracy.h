// Accuracy: what resemote_edge/evaluation/accuracy.py counts, from the outputs for each image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace resemote_tools {

class Accuracy {
 public:
  // `labels`: the artifact's label order.
  explicit Accuracy(std::vector<std::string> labels);

  // Counts an image. `truth`, `predicted`: indices into the labels. `confidence`: probability of the predicted class.
  // `is_copy`: whether the image is also in the training split.
  void add(std::size_t truth, std::size_t predicted, float confidence, bool is_copy);

  std::size_t samples() const noexcept { return samples_; }
  double accuracy() const { return static_cast<double>(right_) / static_cast<double>(samples_); }
  // The fields of an AccuracyReport, but for the dataset's. `knows_copies`: whether `is_copy` meant anything.
  nlohmann::json to_json(bool knows_copies) const;

 private:
  std::vector<std::string> labels_;
  std::vector<std::size_t> confusion_;  // rows are true classes
  std::vector<double> gaps_;            // of the bins of the expected calibration error
  std::size_t samples_ = 0, right_ = 0, kept_ = 0, kept_right_ = 0;
};

// 95 % score interval of a fraction (Wilson, 1927).
std::vector<double> wilson_interval(std::size_t right, std::size_t total);

}  // namespace resemote_tools
