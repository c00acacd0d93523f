#include "frame_view.h"

#include <limits>
#include <string>

#include "error.h"
#include "struct_size.h"

namespace resemote_internal {

namespace {

using Kind = PixelLayout::Kind;

constexpr PixelLayout kLayouts[] = {
    {RESEMOTE_PIXEL_GRAY8, "GRAY8", Kind::kGray, 1, 0, 0, 0, 0, 0, false, false},
    {RESEMOTE_PIXEL_RGB24, "RGB24", Kind::kColor, 3, 0, 0, 0, 0, 0, false, false},
    {RESEMOTE_PIXEL_BGR24, "BGR24", Kind::kColor, 3, 2, 0, 0, 0, 0, false, false},
    {RESEMOTE_PIXEL_NV12, "NV12", Kind::kLumaChroma, 1, 0, 0, 2, 1, 1, true, true},
    {RESEMOTE_PIXEL_YUYV, "YUYV", Kind::kLumaChroma, 2, 0, 1, 4, 2, 0, true, false},
};

[[noreturn]] void refuse(const std::string& message) { throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, message); }

const PixelLayout& layout_of(resemote_pixel_format format) {
  for (const PixelLayout& layout : kLayouts) {
    if (layout.format == format) return layout;
  }
  refuse("the frame's format is " + std::to_string(format) + "; set one of RESEMOTE_PIXEL_*, 0 to 4");
}

[[noreturn]] void refuse_size(const resemote_frame& frame, const std::string& cure) {
  refuse("the frame is " + std::to_string(frame.width) + "x" + std::to_string(frame.height) + " pixels; " + cure);
}

void check_size(const resemote_frame& frame, const PixelLayout& layout) {
  if (frame.width < kMinFrameSide || frame.height < kMinFrameSide || frame.width > kMaxFrameSide ||
      frame.height > kMaxFrameSide) {
    refuse_size(frame, "pass sides of " + std::to_string(kMinFrameSide) + " to " + std::to_string(kMaxFrameSide));
  }
  if ((layout.even_width && frame.width % 2 != 0) || (layout.even_height && frame.height % 2 != 0)) {
    refuse_size(frame, std::string(layout.name) + " needs an even width" + (layout.even_height ? " and height" : "") +
                           ", since pixels share their chroma: cut the frame");
  }
}

// The stride to read with. It is limited so that a pointer can reach the last row, and a second plane behind it.
std::ptrdiff_t stride_of(const char* field, std::int64_t stride, std::int64_t tight, int height) {
  if (stride == 0) return static_cast<std::ptrdiff_t>(tight);
  const std::int64_t largest = std::numeric_limits<std::ptrdiff_t>::max() / 2 / height;
  if (stride < tight || stride > largest) {
    refuse(std::string("the frame's ") + field + " is " + std::to_string(stride) + ", and one row has " +
           std::to_string(tight) + " bytes; pass the bytes from one row to the next, or 0 where rows touch" +
           (stride < 0 ? " (a picture from the bottom up must be turned over first)" : ""));
  }
  return static_cast<std::ptrdiff_t>(stride);
}

}  // namespace

FrameView view_of(const resemote_frame& given) {
  const resemote_frame frame = taken(&given, "resemote_frame", resemote_frame RESEMOTE_FRAME_INIT, kLeastFrame);
  const PixelLayout& layout = layout_of(frame.format);
  check_size(frame, layout);
  if (frame.data == nullptr) refuse("the frame's data is null; point it at the first pixel");

  FrameView view{&layout, frame.width, frame.height, {}, {}, true};
  const std::int64_t row_bytes = std::int64_t{frame.width} * layout.pixel_step;
  view.pixels = Plane{frame.data, stride_of("stride_bytes", frame.stride_bytes, row_bytes, frame.height)};
  if (layout.kind != Kind::kLumaChroma) return view;

  if (frame.full_range != 0 && frame.full_range != 1) {
    refuse("the frame's full_range is " + std::to_string(frame.full_range) +
           "; set 1 where luma fills 0 to 255, and 0 where it fills 16 to 235");
  }
  view.full_range = frame.full_range == 1;
  view.chroma = view.pixels;
  if (layout.chroma_rows_shift != 0) {  // the chroma has a plane of its own
    view.chroma.data = frame.uv != nullptr ? frame.uv : view.pixels.row(frame.height);
    if (frame.uv_stride_bytes != 0) {
      view.chroma.stride = stride_of("uv_stride_bytes", frame.uv_stride_bytes, frame.width, frame.height);
    }
  }
  return view;
}

}  // namespace resemote_internal
