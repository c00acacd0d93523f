// FrameView: a caller's frame once it is known to be readable, its formats brought to one description.
#pragma once

#include <cstddef>
#include <cstdint>

#include "resemote/runtime.h"

namespace resemote_internal {

// Sides of a frame, pixels.
constexpr int kMinFrameSide = 8;
constexpr int kMaxFrameSide = 16384;

// How the samples of a format lie in memory. Offsets and steps in bytes.
struct PixelLayout {
  enum class Kind { kGray, kColor, kLumaChroma };

  resemote_pixel_format format;
  const char* name;
  Kind kind;
  int pixel_step;         // from one pixel to the next in the first plane; its first sample is gray, luma or a colour
  int red;                // of the red sample in a pixel; blue is at 2 - red
  int chroma_offset;      // of the first U in the plane that holds the chroma
  int chroma_step;        // from one U to the next; each serves two columns
  int v_offset;           // from a U to its V
  int chroma_rows_shift;  // 1: a row of chroma serves two rows of pixels
  bool even_width;
  bool even_height;
};

// One plane of a frame.
struct Plane {
  const std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from one row to the next

  const std::uint8_t* row(int y) const { return data + y * stride; }
};

struct FrameView {
  const PixelLayout* layout;
  int width;
  int height;
  Plane pixels;  // the first plane
  Plane chroma;  // where U and V are; of use for luma and chroma only
  bool full_range;
};

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where the frame cannot be read safely as it says.
FrameView view_of(const resemote_frame& frame);

}  // namespace resemote_internal
