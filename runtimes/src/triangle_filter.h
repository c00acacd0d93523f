// TriangleFilter: weights of the antialiased triangle filter along one axis. The Python counterpart is
// preprocessing.triangle_weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crop.h"
#include "scratch_buffer.h"

namespace resemote_internal {

// Weights are integers in units of 2^-16. The weights of one target pixel sum to this.
constexpr int kFilterFractionBits = 16;
constexpr std::uint32_t kFilterOne = 1u << kFilterFractionBits;

// The source pixels of one target pixel: `count` of them from `first` on. The outer ones have weights other than 0.
struct Taps {
  int first;
  int count;
  const std::uint32_t* weights;
};

class TriangleFilter {
 public:
  explicit TriangleFilter(int target);

  // Allocates the memory for sources of at most this size.
  void reserve(int source);

  // Computes the weights for `source` pixels and those that repeat the outer two of them, together at most the reserved
  // number. The weights of repeated pixels are added to those of the pixels that they repeat. Does nothing if it is the
  // same as last time.
  void aim(int source, const Overhang& beyond);

  int target() const { return target_; }
  const Taps& taps(int pixel) const { return taps_.get()[pixel]; }

 private:
  Taps weigh(int pixel, int whole, std::uint32_t* weights);
  Taps folded(const Taps& taps, std::uint32_t* weights) const;

  int target_;
  int source_ = 0;
  Overhang beyond_;
  int reserved_ = 0;
  ScratchBuffer<Taps> taps_;
  ScratchBuffer<std::uint32_t> weights_;
  ScratchBuffer<double> exact_;  // weights of one target pixel before they are rounded
};

}  // namespace resemote_internal
