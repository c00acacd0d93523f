#include "framing.h"

#include <algorithm>
#include <cmath>

namespace resemote_camera {
namespace {

constexpr double MAX_FRAME_SIDE = 16384.0;

}  // namespace

bool Framing::square(const Face& face, resemote_box& box) const {
  const double reach = std::max({face.width, face.height, std::fabs(face.x), std::fabs(face.y)});
  if (!(std::min(face.width, face.height) > 0.0) || !(reach <= MAX_FRAME_SIDE)) return false;
  const double side =
      std::max(std::floor(scale * std::sqrt(face.width * face.height) + 0.5), static_cast<double>(MIN_CROP_SIDE));
  box.x = static_cast<int>(std::floor(face.x + face.width / 2.0 - side / 2.0 + 0.5));
  box.y = static_cast<int>(std::floor(face.y + face.height / 2.0 + shift * face.height - side / 2.0 + 0.5));
  box.width = box.height = static_cast<int>(side);
  return true;
}

int pixels_in_view(const resemote_box& box, int frame_width, int frame_height) {
  const int across = std::min(box.x + box.width, frame_width) - std::max(box.x, 0);
  const int down = std::min(box.y + box.height, frame_height) - std::max(box.y, 0);
  return std::min(across, down);
}

}  // namespace resemote_camera
