// Quality: whether a face can be judged at all, and if not, why. The Python counterpart is faces/quality.py, which says
// where the limits come from.
#pragma once

#include <cstdint>

#include "face.h"

namespace resemote_camera {

// Size at which light and sharpness are measured, pixels.
constexpr int QUALITY_SIDE = 64;

struct Quality {
  double size;        // geometric mean of the box's sides, pixels
  double brightness;  // mean gray level of the crop
  double contrast;    // standard deviation of the gray levels
  double sharpness;   // standard deviation of the Laplacian over that of the gray levels
  bool posed;         // whether there are landmarks that tell the pose
  double turned;      // how far the face is turned to a side; 0 is frontal
  double rolled;      // angle of the line through the eyes, degrees; 0 is level
};

// `gray`: the crop, QUALITY_SIDE x QUALITY_SIDE pixels.
Quality measure_quality(const Face& face, const std::uint8_t* gray);

// Reason why a face should not be judged, such as "too small"; null if it can be.
const char* why_not_judged(const Quality& quality);

}  // namespace resemote_camera
