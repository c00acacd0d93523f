// libFuzzer target: no frame and boxes make the preprocessing touch memory that is not the frame's or the feed's.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "error.h"
#include "preprocessing.h"

namespace {

// Reads numbers off the fuzzer's bytes; zeros past their end.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  template <typename T>
  T take() {
    T value = 0;
    const std::size_t count = sizeof value < size_ ? sizeof value : size_;
    if (count > 0) std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

// What a frame that passes the checks may be read of: exactly that much memory is given.
std::size_t frame_bytes(const resemote_frame& frame) {
  const std::int64_t width = frame.width, height = frame.height;
  const std::int64_t row = frame.format == RESEMOTE_PIXEL_YUYV                                            ? 2 * width
                           : frame.format == RESEMOTE_PIXEL_RGB24 || frame.format == RESEMOTE_PIXEL_BGR24 ? 3 * width
                                                                                                          : width;
  const std::int64_t stride = frame.stride_bytes == 0 ? row : frame.stride_bytes;
  std::int64_t bytes = stride * (height - 1) + row;
  if (frame.format == RESEMOTE_PIXEL_NV12) {
    const std::int64_t uv_stride = frame.uv_stride_bytes == 0 ? stride : frame.uv_stride_bytes;
    bytes = stride * height + uv_stride * (height / 2 - 1) + width;
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  resemote_frame frame = {};
  frame.struct_size = sizeof frame;
  frame.format = bytes.take<std::uint8_t>() % 6;
  frame.width = bytes.take<std::int16_t>();
  frame.height = bytes.take<std::int16_t>();
  frame.stride_bytes = bytes.take<std::int16_t>();
  frame.uv_stride_bytes = bytes.take<std::int16_t>();
  frame.full_range = bytes.take<std::uint8_t>() % 2;
  std::uint8_t placeholder = 0;
  frame.data = &placeholder;
  try {
    resemote_internal::check_frame(frame);
  } catch (const resemote_internal::Error&) {
    return 0;
  }
  if (frame_bytes(frame) > 4u << 20) return 0;
  std::vector<std::uint8_t> pixels(frame_bytes(frame), 200);
  frame.data = pixels.data();
  std::vector<resemote_box> boxes(bytes.take<std::uint8_t>() % 4);
  for (resemote_box& box : boxes) {
    box.x = bytes.take<std::int32_t>();
    box.y = bytes.take<std::int32_t>();
    box.width = bytes.take<std::int32_t>();
    box.height = bytes.take<std::int32_t>();
  }
  resemote_internal::PreprocessSpec spec;
  spec.width = spec.height = 64;
  spec.channels = 3;
  spec.mean = {{0.5, 0.5, 0.5}};
  spec.std = {{0.25, 0.25, 0.25}};
  spec.input = static_cast<resemote_internal::InputFormat>(bytes.take<std::uint8_t>() % 4);
  resemote_internal::Preprocessor preprocessor(spec);
  std::vector<float> feed((preprocessor.feed_bytes() * boxes.size() + 3) / 4);
  try {
    preprocessor.run(frame, boxes.data(), boxes.size(), feed.data());
  } catch (const resemote_internal::Error&) {
  }
  return 0;
}
