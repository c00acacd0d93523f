#include "quality.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace resemote_camera {
namespace {

constexpr double DEGREES = 57.29577951308232;  // of one radian

constexpr double MIN_SIZE = 24.0;
constexpr double MIN_BRIGHTNESS = 10.0;
constexpr double MAX_BRIGHTNESS = 230.0;
constexpr double MIN_CONTRAST = 6.0;
constexpr double MIN_SHARPNESS = 0.1;
constexpr double MAX_TURNED = 0.7;
constexpr double MAX_ROLLED = 35.0;

template <typename Values>
double mean_of(const Values& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

template <typename Values>
double deviation_of(const Values& values) {
  const double mean = mean_of(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Turn and roll by the eyes and the nose.
void measure_pose(const Face& face, Quality& quality) {
  quality.posed = false;
  quality.turned = quality.rolled = 0.0;
  if (face.landmarks.size() < 3) return;
  const Point right = face.landmarks[0], left = face.landmarks[1], nose = face.landmarks[2];
  const double across = left.x - right.x, down = left.y - right.y;
  const double distance = std::hypot(across, down);
  if (distance == 0.0) return;
  // Along the line of the eyes, so that a rolled head is not taken for a turned one.
  const double offset = (nose.x - (right.x + left.x) / 2) * across + (nose.y - (right.y + left.y) / 2) * down;
  quality.posed = true;
  quality.turned = offset / (distance * distance);
  quality.rolled = std::atan2(down, across) * DEGREES;
}

}  // namespace

Quality measure_quality(const Face& face, const std::uint8_t* gray) {
  std::array<double, QUALITY_SIDE * QUALITY_SIDE> levels;
  std::copy(gray, gray + levels.size(), levels.begin());
  std::array<double, (QUALITY_SIDE - 2) * (QUALITY_SIDE - 2)> laplacian;
  auto next = laplacian.begin();
  for (int y = 1; y + 1 < QUALITY_SIDE; ++y) {
    for (int x = 1; x + 1 < QUALITY_SIDE; ++x) {
      const std::uint8_t* const level = gray + y * QUALITY_SIDE + x;
      *next++ = level[-QUALITY_SIDE] + level[QUALITY_SIDE] + level[-1] + level[1] - 4.0 * level[0];
    }
  }
  Quality quality = Quality();
  quality.size = std::sqrt(face.width * face.height);
  quality.brightness = mean_of(levels);
  quality.contrast = deviation_of(levels);
  quality.sharpness = deviation_of(laplacian) / std::max(quality.contrast, 1.0);
  measure_pose(face, quality);
  return quality;
}

const char* why_not_judged(const Quality& quality) {
  if (quality.size < MIN_SIZE) return "too small";
  if (quality.brightness < MIN_BRIGHTNESS) return "too dark";
  if (quality.brightness > MAX_BRIGHTNESS) return "too bright";
  if (quality.contrast < MIN_CONTRAST) return "too little contrast";
  if (quality.sharpness < MIN_SHARPNESS) return "blurred";
  if (quality.posed && std::fabs(quality.turned) > MAX_TURNED) return "turned away";
  if (quality.posed && std::fabs(quality.rolled) > MAX_ROLLED) return "tilted";
  return nullptr;
}

}  // namespace resemote_camera
