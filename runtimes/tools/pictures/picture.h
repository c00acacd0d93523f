// Picture: the pixels of an image file. PGM and PPM are always read; PNG and JPEG if their libraries were found when the
// tools were built.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resemote/runtime.hpp"

namespace resemote_tools {

struct Picture {
  int width = 0;
  int height = 0;
  bool gray = true;  // one byte a pixel; otherwise three: red, green, blue
  std::vector<std::uint8_t> pixels;

  // It refers to this picture's pixels.
  resemote_frame frame() const;
};

// Reads an image file, upright as its EXIF orientation says. Throws ToolError if it cannot be read whole.
Picture read_picture(const std::string& path);

// Formats that this program reads, such as "PGM, PPM, PNG".
std::string picture_formats();

// ---- For the readers of the formats --------------------------------------------------------------------------------

// A picture of this size, black. Throws ToolError if it has no pixels, or too many.
Picture made_picture(std::uint64_t width, std::uint64_t height, bool gray);
// Turns a picture upright; `orientation` is as in EXIF, and 1 or anything unknown leaves it as it is.
Picture upright(Picture picture, int orientation);
// They read the bytes of a file. Errors do not name it.
Picture read_pnm(const std::vector<std::uint8_t>& bytes);
Picture read_png(const std::vector<std::uint8_t>& bytes);
Picture read_jpeg(const std::vector<std::uint8_t>& bytes);

}  // namespace resemote_tools
