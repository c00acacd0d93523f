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

void TriangleFilter::aim(int source) {
  if (source == source_) return;
  source_ = source;
  std::uint32_t* weights = weights_.get();
  for (int pixel = 0; pixel < target_; ++pixel) {
    taps_.get()[pixel] = weigh(pixel, weights);
    weights += taps_.get()[pixel].count;
  }
}

Taps TriangleFilter::weigh(int pixel, std::uint32_t* weights) {
  const double scale = scale_of(source_, target_);
  const double reach = reach_of(scale);
  const double center = (pixel + 0.5) * scale;
  int first = std::max(static_cast<int>(center - reach + 0.5), 0);
  int count = std::min(static_cast<int>(center + reach + 0.5), source_) - first;
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
