#include "triangle_filter.h"

#include <algorithm>
#include <cmath>

namespace resemote_internal {

// The result depends on the order of operations, which is that of preprocessing.py, and on rounding each product and
// sum. This file is therefore compiled with -ffp-contract=off.

namespace {

double scale_of(int source, int target) { return static_cast<double>(source) / target; }

// If the crop is shrunk, the filter widens with the scale. That is the antialiasing.
double reach_of(double scale) { return std::max(scale, 1.0); }

// Largest number of source pixels of one target pixel.
std::size_t most_taps(int source, int target) {
  return static_cast<std::size_t>(2.0 * reach_of(scale_of(source, target))) + 2;
}

}  // namespace

TriangleFilter::TriangleFilter(int target) : target_(target) { taps_.reserve(static_cast<std::size_t>(target)); }

void TriangleFilter::reserve(int source) {
  if (source <= reserved_) return;
  const std::size_t taps = most_taps(source, target_);
  // Growing loses the weights. If it fails, nothing is reserved any more.
  source_ = 0;
  reserved_ = 0;
  weights_.reserve(taps * static_cast<std::size_t>(target_));
  exact_.reserve(taps);
  reserved_ = source;
}

void TriangleFilter::aim(int source, const Overhang& beyond) {
  if (source == source_ && beyond.before == beyond_.before && beyond.after == beyond_.after) return;
  source_ = source;
  beyond_ = beyond;
  std::uint32_t* weights = weights_.get();
  for (int pixel = 0; pixel < target_; ++pixel) {
    taps_.get()[pixel] = folded(weigh(pixel, beyond.before + source + beyond.after, weights), weights);
    weights += taps_.get()[pixel].count;
  }
}

// Sums of products are integers, so they do not change when equal samples share one weight.
Taps TriangleFilter::folded(const Taps& taps, std::uint32_t* weights) const {
  const auto inside = [this](int tap) { return std::min(std::max(tap - beyond_.before, 0), source_ - 1); };
  const int first = inside(taps.first), last = inside(taps.first + taps.count - 1);
  int place = 0;
  for (int tap = 0; tap < taps.count; ++tap) {
    const int to = inside(taps.first + tap) - first;
    if (to == place && tap > 0) {
      weights[place] += weights[tap];
    } else {
      place = to;
      weights[place] = weights[tap];
    }
  }
  return Taps{first, last - first + 1, weights};
}

Taps TriangleFilter::weigh(int pixel, int whole, std::uint32_t* weights) {
  const double scale = scale_of(whole, target_);
  const double reach = reach_of(scale);
  const double center = (pixel + 0.5) * scale;
  int first = std::max(static_cast<int>(center - reach + 0.5), 0);
  int count = std::min(static_cast<int>(center + reach + 0.5), whole) - first;
  double* exact = exact_.get();
  double sum = 0.0;
  for (int tap = 0; tap < count; ++tap) {
    exact[tap] = std::max(1.0 - std::fabs((first + tap) + 0.5 - center) / reach, 0.0);
    sum += exact[tap];
  }
  // After rounding, the sum may be off by a few units. The largest tap (the first, if several are equal) takes the
  // difference, so that flat areas stay flat.
  double total = 0.0;
  for (int tap = 0; tap < count; ++tap) {
    exact[tap] = std::nearbyint(exact[tap] / sum * kFilterOne);
    total += exact[tap];
  }
  *std::max_element(exact, exact + count) += kFilterOne - total;
  while (exact[count - 1] == 0.0) --count;
  while (*exact == 0.0) {
    ++exact;
    ++first;
    --count;
  }
  for (int tap = 0; tap < count; ++tap) weights[tap] = static_cast<std::uint32_t>(exact[tap]);
  return Taps{first, count, weights};
}

}  // namespace resemote_internal
