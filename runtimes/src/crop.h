// Crop and Area: pixels to be resized, and their place in a frame.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resemote_internal {

// Rows of eight-bit pixels. It does not own their memory.
struct Crop {
  const std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from one row to the next
  int width;              // pixels
  int height;             // pixels
  int channels;           // samples of a pixel, side by side: 1 (gray) or 3
  bool red_first;         // order of three channels: red, green, blue; false: the reverse
};

// A rectangle of pixels that lies within a frame.
struct Area {
  int x;
  int y;
  int width;
  int height;
};

// Pixels of a crop along one axis that lie beyond the frame, and repeat the pixel at its border.
struct Overhang {
  int before = 0;
  int after = 0;
};

}  // namespace resemote_internal
