// Crop and Area: pixels to be resized, and where a frame has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resemote_internal {

// Rows of eight-bit pixels in memory of someone else.
struct Crop {
  const std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from one row to the next
  int width;              // pixels
  int height;             // pixels
  int channels;           // samples of a pixel, side by side: 1, gray, or 3
  bool red_first;         // of three channels: red, green, blue; or else the reverse
};

// A rectangle of pixels that lies within a frame.
struct Area {
  int x;
  int y;
  int width;
  int height;
};

}  // namespace resemote_internal
