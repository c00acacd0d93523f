// PNG through the distribution's libpng: the same pixels as Pillow gives resemote-edge. Alpha is left out.
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "errors.h"
#include "pictures/picture.h"

namespace resemote_tools {
namespace {

// Level that some pixel of a 16-bit picture must reach; files that hold 14 bits or fewer in 16 stay below it.
constexpr std::uint8_t LEAST_OF_SIXTEEN_BITS = 64;

struct Reading {
  const std::vector<std::uint8_t>* bytes = nullptr;
  std::size_t at = 0;
  char message[256] = {};
  std::jmp_buf end;
  Picture picture;
  std::vector<png_bytep> rows;
  bool deep = false;
};

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  Reading* const reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (reading->bytes->size() - reading->at < count) png_error(png, "the file ends early");
  std::memcpy(to, reading->bytes->data() + reading->at, count);
  reading->at += count;
}

void fail(png_structp png, png_const_charp message) {
  Reading* const reading = static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading->message, message, sizeof reading->message - 1);
  std::longjmp(reading->end, 1);
}

void ignore(png_structp, png_const_charp) {}

// Objects with destructors live in `reading`, because longjmp passes over this function. Returns whether it went well.
bool read_into(Reading& reading, png_structp png, png_infop info) {
  if (setjmp(reading.end) != 0) return false;
  png_set_read_fn(png, &reading, read_bytes);
  png_read_info(png, info);
  const png_byte color = png_get_color_type(png, info), bits = png_get_bit_depth(png, info);
  const bool gray = color == PNG_COLOR_TYPE_GRAY;
  reading.deep = bits == 16;
  if (bits == 16) png_set_strip_16(png);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if ((color & PNG_COLOR_MASK_COLOR) == 0 && bits < 8) png_set_expand_gray_1_2_4_to_8(png);
  if ((color & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0) png_set_strip_alpha(png);
  if (color == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  try {
    reading.picture = made_picture(png_get_image_width(png, info), png_get_image_height(png, info), gray);
    const std::size_t stride = static_cast<std::size_t>(reading.picture.width) * (gray ? 1 : 3);
    if (png_get_rowbytes(png, info) != stride) {
      std::strncpy(reading.message, "its pixels have an unknown layout", sizeof reading.message - 1);
      return false;
    }
    for (int y = 0; y < reading.picture.height; ++y) {
      reading.rows.push_back(reading.picture.pixels.data() + stride * static_cast<std::size_t>(y));
    }
  } catch (const ToolError& error) {
    std::strncpy(reading.message, error.what(), sizeof reading.message - 1);
    return false;
  }
  png_read_image(png, reading.rows.data());
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

Picture read_png(const std::vector<std::uint8_t>& bytes) {
  Reading reading;
  reading.bytes = &bytes;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, fail, ignore);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  bool good = info != nullptr;
  try {
    good = good && read_into(reading, png, info);
  } catch (...) {
    png_destroy_read_struct(&png, &info, nullptr);
    throw;
  }
  png_destroy_read_struct(&png, &info, nullptr);
  if (!good) throw ToolError(std::string("not a readable picture (") + reading.message + ")");
  const std::vector<std::uint8_t>& pixels = reading.picture.pixels;
  if (reading.deep && *std::max_element(pixels.begin(), pixels.end()) < LEAST_OF_SIXTEEN_BITS) {
    throw ToolError("16 bits a channel, and all of it is dark, as in files that hold 10, 12 or 14 bits",
                    "scale the pixels to the full range, or save it with 8 bits");
  }
  return std::move(reading.picture);
}

}  // namespace resemote_tools
