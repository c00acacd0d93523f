// JPEG through the distribution's libjpeg, turned upright as EXIF says.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
// After jpeglib.h, which does not include what it needs.
#include <jerror.h>

#include <csetjmp>
#include <cstring>

#include "errors.h"
#include "pictures/picture.h"

namespace resemote_tools {
namespace {

struct Reading {
  jpeg_error_mgr errors;  // first, because libjpeg gives only its address
  std::jmp_buf end;
  char message[JMSG_LENGTH_MAX] = {};
  Picture picture;
  int orientation = 1;
};

Reading& reading_of(j_common_ptr jpeg) { return *reinterpret_cast<Reading*>(jpeg->err); }

void fail(j_common_ptr jpeg) {
  Reading& reading = reading_of(jpeg);
  jpeg->err->format_message(jpeg, reading.message);
  std::longjmp(reading.end, 1);
}

// A file that ends early is a warning to libjpeg, which fills the rest with gray.
void note(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) fail(jpeg);
}

void print_nothing(j_common_ptr) {}

// Reads numbers of EXIF, in its byte order; 0 past the end.
class Exif {
 public:
  Exif(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {}

  int orientation() {
    if (size_ < 14 || std::memcmp(bytes_, "Exif\0\0", 6) != 0) return 1;
    bytes_ += 6;
    size_ -= 6;
    little_ = bytes_[0] == 'I';
    const std::size_t folder = number(4, 4);
    const std::size_t count = number(folder, 2);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = folder + 2 + 12 * i;
      if (entry + 12 > size_) return 1;
      if (number(entry, 2) == 0x0112) return static_cast<int>(number(entry + 8, 2));
    }
    return 1;
  }

 private:
  std::size_t number(std::size_t at, std::size_t length) const {
    if (at > size_ || size_ - at < length) return 0;
    std::size_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = value << 8 | bytes_[little_ ? at + length - 1 - i : at + i];
    }
    return value;
  }

  const std::uint8_t* bytes_;
  std::size_t size_;
  bool little_ = false;
};

// Objects with destructors live in `reading`, because longjmp passes over this function. Returns whether it went well.
bool read_into(Reading& reading, jpeg_decompress_struct& jpeg, const std::vector<std::uint8_t>& bytes) {
  if (setjmp(reading.end) != 0) return false;
  jpeg_create_decompress(&jpeg);
  // Older versions of libjpeg take the bytes as if they wrote to them.
  jpeg_mem_src(&jpeg, const_cast<unsigned char*>(bytes.data()), static_cast<unsigned long>(bytes.size()));
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&jpeg, TRUE);
  const bool gray = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK) {
    std::strncpy(reading.message, "its colours are CMYK; save it as RGB", sizeof reading.message - 1);
    return false;
  }
  jpeg.out_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
  for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    const int found = Exif(marker->data, marker->data_length).orientation();
    if (found != 1) reading.orientation = found;
  }
  jpeg_start_decompress(&jpeg);
  try {
    reading.picture = made_picture(jpeg.output_width, jpeg.output_height, gray);
  } catch (const ToolError& error) {
    std::strncpy(reading.message, error.what(), sizeof reading.message - 1);
    return false;
  }
  const std::size_t stride = static_cast<std::size_t>(reading.picture.width) * (gray ? 1 : 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = reading.picture.pixels.data() + stride * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

Picture read_jpeg(const std::vector<std::uint8_t>& bytes) {
  Reading reading;
  jpeg_decompress_struct jpeg = {};
  jpeg.err = jpeg_std_error(&reading.errors);
  reading.errors.error_exit = fail;
  reading.errors.emit_message = note;
  reading.errors.output_message = print_nothing;
  bool good = false;
  try {
    good = read_into(reading, jpeg, bytes);
  } catch (...) {
    jpeg_destroy_decompress(&jpeg);
    throw;
  }
  jpeg_destroy_decompress(&jpeg);
  if (!good) throw ToolError(std::string("not a readable picture (") + reading.message + ")");
  return upright(std::move(reading.picture), reading.orientation);
}

}  // namespace resemote_tools
