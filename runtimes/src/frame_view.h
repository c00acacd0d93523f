// FrameView: a caller's frame after its check, with one description for every format.
#pragma once

#include <cstddef>
#include <cstdint>

#include "resemote/frame.h"

namespace resemote_internal {

// Sides of a frame, pixels.
constexpr int kMinFrameSide = 8;
constexpr int kMaxFrameSide = 16384;

// Layout of a format's samples in memory. Offsets and steps are in bytes.
struct PixelLayout {
  enum class Kind { kGray, kColor, kLumaChroma };

  resemote_pixel_format format;
  const char* name;
  Kind kind;
  int pixel_step;         // from one pixel to the next in the first plane, whose first sample is gray, luma or a colour
  int red;                // offset of the red sample in a pixel; blue is at 2 - red
  int chroma_offset;      // offset of the first U in the plane with the chroma
  int chroma_step;        // from one U to the next; each serves two columns
  int v_offset;           // from a U to its V
  int chroma_rows_shift;  // 1: one row of chroma serves two rows of pixels
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
  Plane chroma;  // plane with U and V; used for luma-and-chroma formats only
  bool full_range;
};

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if the frame's description does not allow reading it safely.
FrameView view_of(const resemote_frame& frame);

}  // namespace resemote_internal
