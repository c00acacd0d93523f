#include "evaluation/accuracy.h"

#include <algorithm>
#include <cmath>

namespace resemote_tools {
namespace {

constexpr std::size_t BINS = 15;
constexpr double Z_95 = 1.959964;

}  // namespace

Accuracy::Accuracy(std::vector<std::string> labels)
    : labels_(std::move(labels)), confusion_(labels_.size() * labels_.size()), gaps_(BINS) {}

void Accuracy::add(std::size_t truth, std::size_t predicted, float confidence, bool is_copy) {
  const bool right = truth == predicted;
  ++samples_;
  right_ += right;
  kept_ += !is_copy;
  kept_right_ += right && !is_copy;
  ++confusion_[truth * labels_.size() + predicted];
  const std::size_t bin = std::min(static_cast<std::size_t>(confidence * static_cast<float>(BINS)), BINS - 1);
  gaps_[bin] += static_cast<double>(confidence) - (right ? 1.0 : 0.0);
}

nlohmann::json Accuracy::to_json(bool knows_copies) const {
  nlohmann::json recall, confusion = nlohmann::json::array();
  for (std::size_t truth = 0; truth < labels_.size(); ++truth) {
    const auto row = confusion_.begin() + static_cast<std::ptrdiff_t>(truth * labels_.size());
    const std::vector<std::size_t> counts(row, row + static_cast<std::ptrdiff_t>(labels_.size()));
    std::size_t all = 0;
    for (const std::size_t count : counts) all += count;
    recall[labels_[truth]] = static_cast<double>(counts[truth]) / static_cast<double>(std::max<std::size_t>(all, 1));
    confusion.push_back(counts);
  }
  double gap = 0.0;
  for (const double one : gaps_) gap += std::abs(one);
  nlohmann::json report = {{"samples", samples_},
                           {"accuracy", accuracy()},
                           {"accuracy_interval_95", wilson_interval(right_, samples_)},
                           {"recall", recall},
                           {"labels", labels_},
                           {"confusion", confusion},
                           {"ece", gap / static_cast<double>(samples_)},
                           {"accuracy_without_train_duplicates", nullptr},
                           {"samples_without_train_duplicates", nullptr}};
  if (knows_copies && kept_ > 0) {
    report["accuracy_without_train_duplicates"] = static_cast<double>(kept_right_) / static_cast<double>(kept_);
    report["samples_without_train_duplicates"] = kept_;
  }
  return report;
}

std::vector<double> wilson_interval(std::size_t right, std::size_t total) {
  const double count = static_cast<double>(total), fraction = static_cast<double>(right) / count;
  const double center = fraction + Z_95 * Z_95 / (2.0 * count);
  const double margin = Z_95 * std::sqrt(fraction * (1.0 - fraction) / count + Z_95 * Z_95 / (4.0 * count * count));
  const double scale = 1.0 + Z_95 * Z_95 / count;
  return {(center - margin) / scale, (center + margin) / scale};
}

}  // namespace resemote_tools
