// TriangleFilter: weights of the antialiased triangle filter along one axis; twin of preprocessing.triangle_weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scratch_buffer.h"

namespace resemote_internal {

// Weights are integers in units of 2^-16; those of one target pixel sum to this.
constexpr int kFilterFractionBits = 16;
constexpr std::uint32_t kFilterOne = 1u << kFilterFractionBits;

// What one target pixel is made of: `count` source pixels from `first` on, none of the outer ones with weight 0.
struct Taps {
  int first;
  int count;
  const std::uint32_t* weights;
};

class TriangleFilter {
 public:
  explicit TriangleFilter(int target);

  // Takes the memory that any source of up to so many pixels needs.
  void reserve(int source);

  // Weights from `source` pixels, at most as many as were reserved; nothing to do where it was the last one asked for.
  void aim(int source);

  int target() const { return target_; }
  const Taps& taps(int pixel) const { return taps_.get()[pixel]; }

 private:
  Taps weigh(int pixel, std::uint32_t* weights);

  int target_;
  int source_ = 0;
  int reserved_ = 0;
  ScratchBuffer<Taps> taps_;
  ScratchBuffer<std::uint32_t> weights_;
  ScratchBuffer<double> exact_;  // weights of one target pixel before they are rounded
};

}  // namespace resemote_internal
