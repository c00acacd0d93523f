// Face: what a detector says of one face in one frame. The Python counterpart is faces/face.py.
#pragma once

#include <algorithm>
#include <vector>

namespace resemote_camera {

struct Point {
  double x;
  double y;
};

// A box, in pixels of the frame, which may reach over its border.
struct Face {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;
  double score = 1.0;            // the detector's confidence that this is a face, in [0, 1]
  std::vector<Point> landmarks;  // right eye, left eye, nose tip, right and left corner of the mouth; or none
};

// Intersection over union of two boxes, in [0, 1].
inline double overlap(const Face& one, const Face& other) {
  const double across = std::min(one.x + one.width, other.x + other.width) - std::max(one.x, other.x);
  const double down = std::min(one.y + one.height, other.y + other.height) - std::max(one.y, other.y);
  if (across <= 0 || down <= 0) return 0.0;
  const double shared = across * down;
  return shared / (one.width * one.height + other.width * other.height - shared);
}

}  // namespace resemote_camera
