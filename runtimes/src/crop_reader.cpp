#include "crop_reader.h"

#include <algorithm>
#include <cstddef>

namespace resemote_internal {

namespace {

using Kind = PixelLayout::Kind;

// All numbers here are fixed point with 16 fraction bits, rounded half up.
constexpr int kFractionBits = 16;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

// The luma of a colour. The factors sum to 2^16.
constexpr std::uint32_t kRed = 19595;
constexpr std::uint32_t kGreen = 38470;
constexpr std::uint32_t kBlue = 7471;

// Conversion from luma and chroma to colour, ITU-R BT.601.
struct ColorFactors {
  std::int32_t luma;
  std::int32_t black;  // the luma of black
  std::int32_t v_to_red;
  std::int32_t u_to_green;
  std::int32_t v_to_green;
  std::int32_t u_to_blue;
};
constexpr ColorFactors kFullRange{65536, 0, 91881, 22554, 46802, 116130};
constexpr ColorFactors kVideoRange{76309, 16, 104597, 25675, 53279, 132201};
constexpr std::int32_t kNoChroma = 128;

// Clamps without a branch, because a picture makes branches unpredictable: it looks up the level at value + kBelow.
// Values of both ranges are from -277 to 535. With kBelow added, no value is negative when it is shifted, which C++
// would leave to the compiler.
constexpr std::int32_t kBelow = 384;
using Clamp = std::array<std::uint8_t, 1024>;

Clamp make_clamp() {
  Clamp clamp;
  for (std::size_t place = 0; place < clamp.size(); ++place) {
    const std::int32_t value = static_cast<std::int32_t>(place) - kBelow;
    clamp[place] = static_cast<std::uint8_t>(std::min(std::max(value, 0), 255));
  }
  return clamp;
}

std::uint8_t level(const Clamp& clamp, std::int32_t fixed) {
  return clamp[static_cast<std::uint32_t>(fixed + (kBelow << kFractionBits) + kHalf) >> kFractionBits];
}

const std::uint8_t* first_pixel(const FrameView& frame, const Area& area, int y) {
  return frame.pixels.row(area.y + y) + static_cast<std::ptrdiff_t>(area.x) * frame.layout->pixel_step;
}

Crop crop_in_frame(const FrameView& frame, const Area& area) {
  const PixelLayout& layout = *frame.layout;
  const std::uint8_t* first = first_pixel(frame, area, 0);
  return Crop{first, frame.pixels.stride, area.width, area.height, layout.pixel_step, layout.red == 0};
}

Crop crop_in_room(const std::uint8_t* room, const Area& area, int channels) {
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(area.width) * channels;
  return Crop{room, stride, area.width, area.height, channels, true};
}

void mix_colors(const FrameView& frame, const Area& area, std::uint8_t* out) {
  const bool red_first = frame.layout->red == 0;
  const std::uint32_t first = red_first ? kRed : kBlue;
  const std::uint32_t third = red_first ? kBlue : kRed;
  for (int y = 0; y < area.height; ++y, out += area.width) {
    const std::uint8_t* pixel = first_pixel(frame, area, y);
    for (int x = 0; x < area.width; ++x, pixel += 3) {
      const std::uint32_t luma = first * pixel[0] + kGreen * pixel[1] + third * pixel[2] + kHalf;
      out[x] = static_cast<std::uint8_t>(luma >> kFractionBits);
    }
  }
}

void look_up_luma(const FrameView& frame, const Area& area, const std::uint8_t* levels, std::uint8_t* out) {
  const int step = frame.layout->pixel_step;
  for (int y = 0; y < area.height; ++y, out += area.width) {
    const std::uint8_t* luma = first_pixel(frame, area, y);
    for (int x = 0; x < area.width; ++x, luma += step) out[x] = levels[*luma];
  }
}

// The part that a chroma sample adds to the colours of its pixels.
struct Tint {
  std::int32_t red;
  std::int32_t green;
  std::int32_t blue;
};

Tint tint_of(const ColorFactors& factors, std::int32_t u, std::int32_t v) {
  return Tint{factors.v_to_red * v, -factors.u_to_green * u - factors.v_to_green * v, factors.u_to_blue * u};
}

// Converts one row of an area: the columns from x to `end` of the frame. Pairs of columns share a chroma sample.
void convert_row(const FrameView& frame, const Clamp& clamp, int y, int x, int end, std::uint8_t* out) {
  const PixelLayout& layout = *frame.layout;
  const ColorFactors factors = frame.full_range ? kFullRange : kVideoRange;
  const std::uint8_t* luma = frame.pixels.row(y) + static_cast<std::ptrdiff_t>(x) * layout.pixel_step;
  const std::uint8_t* chroma = frame.chroma.row(y >> layout.chroma_rows_shift) + layout.chroma_offset +
                               static_cast<std::ptrdiff_t>(x / 2) * layout.chroma_step;
  for (; x < end; chroma += layout.chroma_step) {
    const Tint tint = tint_of(factors, chroma[0] - kNoChroma, chroma[layout.v_offset] - kNoChroma);
    for (const int pair_end = std::min(x / 2 * 2 + 2, end); x < pair_end; ++x, luma += layout.pixel_step, out += 3) {
      const std::int32_t light = factors.luma * (*luma - factors.black);
      out[0] = level(clamp, light + tint.red);
      out[1] = level(clamp, light + tint.green);
      out[2] = level(clamp, light + tint.blue);
    }
  }
}

}  // namespace

CropReader::CropReader() : clamp_(make_clamp()) {
  for (std::int32_t luma = 0; luma < 256; ++luma) {
    const std::size_t place = static_cast<std::size_t>(luma);
    full_[place] = static_cast<std::uint8_t>(luma);
    video_[place] = level(clamp_, kVideoRange.luma * (luma - kVideoRange.black));
  }
}

Crop CropReader::gray(const FrameView& frame, const Area& area, std::uint8_t* room) const {
  const PixelLayout& layout = *frame.layout;
  if (layout.kind == Kind::kColor) {
    mix_colors(frame, area, room);
  } else if (layout.pixel_step == 1 && frame.full_range) {
    return crop_in_frame(frame, area);
  } else {
    look_up_luma(frame, area, (frame.full_range ? full_ : video_).data(), room);
  }
  return crop_in_room(room, area, 1);
}

Crop CropReader::colors(const FrameView& frame, const Area& area, std::uint8_t* room) const {
  if (frame.layout->kind != Kind::kLumaChroma) return crop_in_frame(frame, area);
  const Crop crop = crop_in_room(room, area, 3);
  for (int y = 0; y < area.height; ++y) {
    convert_row(frame, clamp_, area.y + y, area.x, area.x + area.width, room + y * crop.stride);
  }
  return crop;
}

}  // namespace resemote_internal
