// CropResizer: resizes a crop to the network's size. The Python counterpart is preprocessing.resize_triangle.
#pragma once

#include <cstdint>

#include "crop.h"
#include "scratch_buffer.h"
#include "triangle_filter.h"

namespace resemote_internal {

// Smallest side that can be resized, pixels.
constexpr int kMinResizeSide = 8;

class CropResizer {
 public:
  CropResizer(int height, int width) : vertical_(height), horizontal_(width) {}

  // Allocates the memory for crops of at most this size, what repeats their borders included.
  void reserve(int height, int width);

  // Resizes a crop. Its sides are at least kMinResizeSide and, with what lies beyond them, at most what was reserved.
  // `out`: the target's rows without gaps, with the same number of channels, in reverse order if `reversed`.
  void resize(const Crop& crop, const Overhang& down, const Overhang& across, bool reversed, std::uint8_t* out);

 private:
  TriangleFilter vertical_;
  TriangleFilter horizontal_;
  ScratchBuffer<std::uint32_t> row_;  // one target row, not yet resized along x; in units of 2^-16
};

}  // namespace resemote_internal
