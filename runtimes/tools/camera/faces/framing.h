// Framing: from the box of a face to the square that a classifier is shown. The Python counterpart is
// vision/framing.py; both give the same whole numbers.
#pragma once

#include "face.h"
#include "resemote/runtime.h"

namespace resemote_camera {

// Smallest side of a crop, pixels.
constexpr int MIN_CROP_SIDE = 8;

struct Framing {
  double scale = 1.0;  // side of the square, in geometric means of the box's sides
  double shift = 0.0;  // how far its centre lies below that of the box, in heights of the box

  // Returns false if the box has no area, or lies beyond any frame.
  bool square(const Face& face, resemote_box& box) const;
};

// Pixels of the frame that a box covers in the direction in which they are fewer; negative if it lies outside.
int pixels_in_view(const resemote_box& box, int frame_width, int frame_height);

}  // namespace resemote_camera
