#include "pictures/picture.h"

#include <algorithm>

#include "errors.h"
#include "file.h"

namespace resemote_tools {
namespace {

constexpr std::uint64_t MOST_FILE_BYTES = 256u << 20;
constexpr std::uint64_t MOST_PIXELS = 178956970;  // as Pillow, and so as resemote-edge

bool begins_with(const std::vector<std::uint8_t>& bytes, const std::string& start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin(), [](char a, std::uint8_t b) {
           return static_cast<std::uint8_t>(a) == b;
         });
}

Picture decoded(const std::vector<std::uint8_t>& bytes) {
  if (begins_with(bytes, "P5") || begins_with(bytes, "P6")) return read_pnm(bytes);
  if (begins_with(bytes, "\x89PNG\r\n\x1a\n")) return read_png(bytes);
  if (begins_with(bytes, "\xff\xd8\xff")) return read_jpeg(bytes);
  throw ToolError("not a picture that is read here (" + picture_formats() + ")", "convert it to one of them");
}

class PnmHeader {
 public:
  explicit PnmHeader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  // The next number; comments run from # to the end of the line.
  std::uint64_t number() {
    while (at_ < bytes_.size() && (is_space() || bytes_[at_] == '#')) {
      if (bytes_[at_] != '#') {
        ++at_;
        continue;
      }
      while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
    }
    std::uint64_t value = 0;
    const std::size_t begun = at_;
    for (; at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9'; ++at_) {
      value = value * 10 + (bytes_[at_] - static_cast<std::uint64_t>('0'));
      if (value > MOST_PIXELS) throw ToolError("not a picture: a number in its header is larger than any picture's");
    }
    if (at_ == begun) throw ToolError("not a whole picture: its header ends early, or holds something else");
    return value;
  }
  // Place of the first pixel: after one white space.
  std::size_t end() {
    if (at_ >= bytes_.size() || !is_space()) throw ToolError("not a whole picture: no pixels follow its header");
    return at_ + 1;
  }

 private:
  bool is_space() const {
    const std::uint8_t c = bytes_[at_];
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 2;
};

}  // namespace

#if !defined(RESEMOTE_TOOLS_PNG) || !defined(RESEMOTE_TOOLS_JPEG)
namespace {

[[noreturn]] void not_built_in(const char* format) {
  throw ToolError(std::string("this program was built without the library for ") + format,
                  "convert the picture to PPM, or build the tools again where CMake finds the library");
}

}  // namespace
#endif

#if !defined(RESEMOTE_TOOLS_PNG)
Picture read_png(const std::vector<std::uint8_t>&) { not_built_in("PNG"); }
#endif

#if !defined(RESEMOTE_TOOLS_JPEG)
Picture read_jpeg(const std::vector<std::uint8_t>&) { not_built_in("JPEG"); }
#endif

resemote_frame Picture::frame() const {
  return resemote::frame_of(gray ? RESEMOTE_PIXEL_GRAY8 : RESEMOTE_PIXEL_RGB24, width, height, pixels.data());
}

Picture made_picture(std::uint64_t width, std::uint64_t height, bool gray) {
  if (width == 0 || height == 0 || width > MOST_PIXELS || height > MOST_PIXELS || width * height > MOST_PIXELS) {
    throw ToolError(std::to_string(width) + "x" + std::to_string(height) + " pixels",
                    "pictures of 1 to " + std::to_string(MOST_PIXELS) + " pixels are read");
  }
  Picture picture;
  picture.width = static_cast<int>(width);
  picture.height = static_cast<int>(height);
  picture.gray = gray;
  picture.pixels.resize(static_cast<std::size_t>(width * height * (gray ? 1 : 3)));
  return picture;
}

Picture upright(Picture picture, int orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool turned = orientation >= 5;
  const int width = turned ? picture.height : picture.width, height = turned ? picture.width : picture.height;
  const std::size_t bytes = picture.gray ? 1 : 3;
  Picture result = made_picture(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), picture.gray);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      // Where the pixel is in the stored picture: rows and columns changed places, then each may run backwards.
      int column = turned ? y : x, row = turned ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) column = picture.width - 1 - column;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) row = picture.height - 1 - row;
      const std::size_t from = (static_cast<std::size_t>(row) * static_cast<std::size_t>(picture.width) +
                                static_cast<std::size_t>(column)) * bytes;
      const std::size_t to =
          (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * bytes;
      std::copy_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(from), bytes,
                  result.pixels.begin() + static_cast<std::ptrdiff_t>(to));
    }
  }
  return result;
}

Picture read_pnm(const std::vector<std::uint8_t>& bytes) {
  PnmHeader header(bytes);
  const std::uint64_t width = header.number(), height = header.number(), most = header.number();
  if (most != 255) {
    throw ToolError("its brightest level is " + std::to_string(most) + ", and only 255 is read",
                    "save it with 8 bits a channel");
  }
  const std::size_t start = header.end();
  const bool gray = bytes[1] == '5';
  // The size is checked before memory is taken for it.
  if (width != 0 && height != 0 && (bytes.size() - start) / width < height) {
    throw ToolError("not a whole picture: it says " + std::to_string(width) + "x" + std::to_string(height) +
                    " pixels, and ends early");
  }
  Picture picture = made_picture(width, height, gray);
  if (bytes.size() - start < picture.pixels.size()) throw ToolError("not a whole picture: it ends early");
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(start), picture.pixels.size(), picture.pixels.begin());
  return picture;
}

Picture read_picture(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_whole_file(path, MOST_FILE_BYTES);
  try {
    return decoded(bytes);
  } catch (const ToolError& error) {
    throw ToolError(path + ": " + error.what(), "", error.exit_code());
  }
}

std::string picture_formats() {
  std::string formats = "PGM, PPM";
#if defined(RESEMOTE_TOOLS_PNG)
  formats += ", PNG";
#endif
#if defined(RESEMOTE_TOOLS_JPEG)
  formats += ", JPEG";
#endif
  return formats;
}

}  // namespace resemote_tools
