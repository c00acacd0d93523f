// CropReader: a part of a frame of any format, as gray or as red, green and blue.
#pragma once

#include <array>
#include <cstdint>

#include "crop.h"
#include "frame_view.h"

namespace resemote_internal {

// A crop is the frame's own memory where that can serve, else it is made in `room`. It lives as long as both.
class CropReader {
 public:
  CropReader();

  // Gray is the ITU-R BT.601 luma: computed from colours, or there already. `room`: a byte per pixel of the area.
  Crop gray(const FrameView& frame, const Area& area, std::uint8_t* room) const;

  // Three channels, but one where the frame is gray. `room`: three bytes per pixel of the area.
  Crop colors(const FrameView& frame, const Area& area, std::uint8_t* room) const;

 private:
  using Levels = std::array<std::uint8_t, 256>;

  Levels full_;   // of gray, by luma that fills 0 to 255
  Levels video_;  // of gray, by luma that fills 16 to 235
  std::array<std::uint8_t, 1024> clamp_;
};

}  // namespace resemote_internal
