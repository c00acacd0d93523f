#include "tally.h"

#include <algorithm>

#include "../quantile.h"

namespace resemote_camera {
namespace {

// Ages that are kept, the newest: an hour at 30 frames a second. A run of months must not grow.
constexpr std::size_t KEPT = 108000;

}  // namespace

void Tally::add(double decision_age_ms) {
  last_ = Clock::now();
  if (decided_ == 0) first_ = last_;
  if (ages_.size() < KEPT) {
    ages_.push_back(decision_age_ms);
  } else {
    ages_[static_cast<std::size_t>(decided_) % KEPT] = decision_age_ms;
  }
  ++decided_;
}

Ages Tally::ages() const {
  std::vector<double> sorted = ages_;
  std::sort(sorted.begin(), sorted.end());
  using resemote_tools::quantile;
  return {quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 0.99), sorted.back()};
}

}  // namespace resemote_camera
