#include "picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "../../errors.h"

namespace resemote_camera {
namespace {

// Conversion from luma and chroma to colour, ITU-R BT.601, in units of 2^-16.
struct ColorFactors {
  std::int32_t luma;
  std::int32_t black;
  std::int32_t v_to_red;
  std::int32_t u_to_green;
  std::int32_t v_to_green;
  std::int32_t u_to_blue;
};
constexpr ColorFactors FULL_RANGE{65536, 0, 91881, 22554, 46802, 116130};
constexpr ColorFactors VIDEO_RANGE{76309, 16, 104597, 25675, 53279, 132201};
constexpr std::int32_t HALF = 1 << 15;

// Rounds and clamps. The division is by a power of two, rounded down for negative values too.
std::uint8_t level(std::int32_t fixed) {
  if (fixed < 0) return 0;
  return static_cast<std::uint8_t>(std::min(fixed >> 16, 255));
}

std::ptrdiff_t stride_or(std::int64_t stride, std::ptrdiff_t tight) {
  return stride == 0 ? tight : static_cast<std::ptrdiff_t>(stride);
}

}  // namespace

Picture::Picture(int width, int height)
    : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {}

void Picture::take(const resemote_frame& frame) {
  const double factor =
      std::min(static_cast<double>(width_) / frame.width, static_cast<double>(height_) / frame.height);
  const int columns = std::max(std::min(static_cast<int>(std::nearbyint(frame.width * factor)), width_), 1);
  const int rows = std::max(std::min(static_cast<int>(std::nearbyint(frame.height * factor)), height_), 1);
  across_ = static_cast<double>(frame.width) / columns;
  down_ = static_cast<double>(frame.height) / rows;
  if (columns != columns_ || rows != rows_) std::fill(pixels_.begin(), pixels_.end(), std::uint8_t{0});
  columns_ = columns;
  rows_ = rows;
  if (frame.format == RESEMOTE_PIXEL_NV12) {
    take_nv12(frame, columns, rows);
    return;
  }
  if (frame.format != RESEMOTE_PIXEL_GRAY8 && frame.format != RESEMOTE_PIXEL_BGR24) {
    throw resemote_tools::ToolError("faces cannot be looked for in a frame of format " + std::to_string(frame.format),
                                    "let the source give gray, BGR or NV12");
  }
  const int channels = frame.format == RESEMOTE_PIXEL_GRAY8 ? 1 : 3;
  const std::ptrdiff_t tight = static_cast<std::ptrdiff_t>(frame.width) * channels;
  const Samples whole = {frame.data, stride_or(frame.stride_bytes, tight), frame.width, frame.height, channels};
  const Samples scaled = scaler_.scale(whole, columns, rows);
  if (channels == 1) {
    take_gray(scaled);
  } else {
    take_colors(scaled);
  }
}

void Picture::take_gray(const Samples& gray) {
  for (int y = 0; y < gray.height; ++y) {
    std::uint8_t* out = pixels_.data() + static_cast<std::ptrdiff_t>(y) * width_ * 3;
    const std::uint8_t* const row = gray.data + y * gray.stride;
    for (int x = 0; x < gray.width; ++x, out += 3) std::memset(out, row[x], 3);
  }
}

void Picture::take_colors(const Samples& colors) {
  for (int y = 0; y < colors.height; ++y) {
    std::memcpy(pixels_.data() + static_cast<std::ptrdiff_t>(y) * width_ * 3, colors.data + y * colors.stride,
                static_cast<std::size_t>(colors.width) * 3);
  }
}

void Picture::take_nv12(const resemote_frame& frame, int columns, int rows) {
  const std::ptrdiff_t stride = stride_or(frame.stride_bytes, frame.width);
  const Samples whole = {frame.data, stride, frame.width, frame.height, 1};
  const std::uint8_t* const uv = frame.uv != nullptr ? frame.uv : frame.data + frame.height * stride;
  const Samples pairs = {uv, stride_or(frame.uv_stride_bytes, stride), frame.width / 2, frame.height / 2, 2};
  const Samples luma = scaler_.scale(whole, columns, rows), chroma = chroma_scaler_.scale(pairs, columns, rows);
  const ColorFactors factors = frame.full_range == 1 ? FULL_RANGE : VIDEO_RANGE;
  for (int y = 0; y < rows; ++y) {
    std::uint8_t* out = pixels_.data() + static_cast<std::ptrdiff_t>(y) * width_ * 3;
    const std::uint8_t* const lights = luma.data + y * luma.stride;
    const std::uint8_t* tint = chroma.data + y * chroma.stride;
    for (int x = 0; x < columns; ++x, tint += 2, out += 3) {
      const std::int32_t light = factors.luma * (lights[x] - factors.black) + HALF;
      const std::int32_t u = tint[0] - 128, v = tint[1] - 128;
      out[0] = level(light + factors.u_to_blue * u);
      out[1] = level(light - factors.v_to_green * v - factors.u_to_green * u);
      out[2] = level(light + factors.v_to_red * v);
    }
  }
}

}  // namespace resemote_camera
