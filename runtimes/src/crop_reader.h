// CropReader: reads a part of a frame of any format, as gray or as red, green and blue.
#pragma once

#include <array>
#include <cstdint>

#include "crop.h"
#include "frame_view.h"

namespace resemote_internal {

// A crop refers to the frame's own memory if that has the right form. Otherwise it is made in `room`. It is valid as
// long as both.
class CropReader {
 public:
  CropReader();

  // Gray is the ITU-R BT.601 luma, which is computed from colours or in the frame already. `room`: one byte per pixel
  // of the area.
  Crop gray(const FrameView& frame, const Area& area, std::uint8_t* room) const;

  // The crop has three channels, or one if the frame is gray. `room`: three bytes per pixel of the area.
  Crop colors(const FrameView& frame, const Area& area, std::uint8_t* room) const;

 private:
  using Levels = std::array<std::uint8_t, 256>;

  Levels full_;   // gray level by luma from 0 to 255
  Levels video_;  // gray level by luma from 16 to 235
  std::array<std::uint8_t, 1024> clamp_;
};

}  // namespace resemote_internal
