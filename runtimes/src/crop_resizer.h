// CropResizer: a crop of any size to the network's; the twin of preprocessing.resize_triangle.
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

  // Takes the memory that any crop of up to so many pixels needs.
  void reserve(int height, int width);

  // Resizes a crop, no larger than what was reserved, with sides of kMinResizeSide or more. `out`: the target's rows
  // without gaps, with as many channels; in the reverse order where `reversed`.
  void resize(const Crop& crop, bool reversed, std::uint8_t* out);

 private:
  TriangleFilter vertical_;
  TriangleFilter horizontal_;
  ScratchBuffer<std::uint32_t> row_;  // one target row, not yet resized along x; in units of 2^-16
};

}  // namespace resemote_internal
