#include "triangle_filter.h"

#include <algorithm>
#include <cmath>

namespace resemote_internal {

// Bits depend on the order of operations here, which is that of preprocessing.py, and on products and sums being
// rounded one by one: this file is compiled with -ffp-contract=off.

namespace {

double scale_of(int source, int target) { return static_cast<double>(source) / target; }

// When shrinking, the filter widens with the scale: that is the antialiasing.
double reach_of(double scale) { return std::max(scale, 1.0); }

// Most source pixels that one target pixel is made of.
std::size_t most_taps(int source, int target) {
  return static_cast<std::size_t>(2.0 * reach_of(scale_of(source, target))) + 2;
}

}  // namespace

TriangleFilter::TriangleFilter(int target) : target_(target) { taps_.reserve(static_cast<std::size_t>(target)); }

void TriangleFilter::reserve(int source) {
  if (source <= reserved_) return;
  const std::size_t taps = most_taps(source, target_);
  // The weights go with their memory, and where there is none to be had, nothing is reserved any more.
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
  // Rounding may leave the sum a unit off; the largest tap, the first of equals, takes the difference, so that flat
  // areas stay flat.
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
