#include "evaluation/crops_file.h"

#include <algorithm>
#include <cstring>

#include "errors.h"

namespace resemote_tools {
namespace {

constexpr std::size_t HEAD_BYTES = 64;
constexpr std::size_t HASH_BYTES = 32;
constexpr char MAGIC[] = "\x89" "CROPS\r\n";
constexpr std::uint32_t VERSION = 1;
constexpr std::uint32_t KNOWN_FLAGS = 1;
constexpr std::uint32_t MOST_IMAGES = 1u << 24;
constexpr std::uint32_t MOST_LABELS = 255;
constexpr std::uint32_t LEAST_SIDE = 8, MOST_SIDE = 1024;
constexpr std::size_t MOST_NAME_BYTES = 1024;

std::uint32_t number(const std::uint8_t* bytes, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

CropsFile::CropsFile(const std::string& path) : file_(path) {
  read_head();
  std::uint8_t hash[HASH_BYTES];
  file_.read(file_.size() - HASH_BYTES, hash, HASH_BYTES);
  if (file_.sha256(file_.size() - HASH_BYTES) != hex(hash, HASH_BYTES)) {
    refuse("its sha256 is another than the one at its end: it was damaged or changed");
  }
}

void CropsFile::refuse(const std::string& found) const {
  throw ToolError(file_.path() + ": not a file of crops that is read here: " + found,
                  "make it again with 'resemote-edge data pack', or copy it again");
}

void CropsFile::read_head() {
  std::uint8_t head[HEAD_BYTES];
  if (file_.size() < HEAD_BYTES + HASH_BYTES) refuse("it has only " + std::to_string(file_.size()) + " bytes");
  file_.read(0, head, HEAD_BYTES);
  if (std::memcmp(head, MAGIC, 8) != 0) refuse("it begins with other bytes");
  const std::uint32_t version = number(head + 8, 4), flags = number(head + 12, 4), images = number(head + 16, 4);
  const std::uint32_t width = number(head + 20, 4), height = number(head + 24, 4), classes = number(head + 28, 4);
  if (version != VERSION) {
    refuse("its version is " + std::to_string(version) + ", this program reads version " + std::to_string(VERSION));
  }
  if ((flags & ~KNOWN_FLAGS) != 0) refuse("it has flags that this program does not know");
  if (images < 1 || images > MOST_IMAGES) refuse("it says that it holds " + std::to_string(images) + " images");
  if (classes < 2 || classes > MOST_LABELS) refuse("it says that it has " + std::to_string(classes) + " classes");
  if (std::min(width, height) < LEAST_SIDE || std::max(width, height) > MOST_SIDE) {
    refuse("it says that its images have " + std::to_string(width) + "x" + std::to_string(height) + " pixels");
  }
  width_ = static_cast<int>(width);
  height_ = static_cast<int>(height);
  marks_copies_ = (flags & 1) != 0;
  dataset_sha256_ = hex(head + 32, 32);
  std::uint64_t place = HEAD_BYTES;
  dataset_ = read_name(place);
  for (std::uint32_t i = 0; i < classes; ++i) {
    std::string label = read_name(place);
    if (std::find(labels_.begin(), labels_.end(), label) != labels_.end()) refuse("it names the class " + label + " twice");
    labels_.push_back(std::move(label));
  }
  pixels_at_ = place + 2 * static_cast<std::uint64_t>(images);
  // No product overflows, because all three numbers are small. Memory is taken only for what is there.
  const std::uint64_t wanted = pixels_at_ + static_cast<std::uint64_t>(images) * width * height + HASH_BYTES;
  if (file_.size() != wanted) {
    refuse("it has " + std::to_string(file_.size()) + " bytes, and what it says it holds needs " +
           std::to_string(wanted));
  }
  targets_.resize(images);
  marks_.resize(images);
  file_.read(place, targets_.data(), images);
  file_.read(place + images, marks_.data(), images);
  const auto odd = std::find_if(targets_.begin(), targets_.end(), [&](std::uint8_t one) { return one >= classes; });
  if (odd != targets_.end()) {
    refuse("image " + std::to_string(odd - targets_.begin()) + " is of class " + std::to_string(*odd) + " of " +
           std::to_string(classes));
  }
}

std::string CropsFile::read_name(std::uint64_t& place) const {
  std::uint8_t length[2];
  if (place + sizeof length > file_.size()) refuse("it ends within its names");
  file_.read(place, length, sizeof length);
  const std::size_t bytes = number(length, sizeof length);
  place += sizeof length;
  if (bytes < 1 || bytes > MOST_NAME_BYTES) refuse("one of its names has " + std::to_string(bytes) + " bytes");
  if (place + bytes > file_.size()) refuse("it ends within its names");
  std::string name(bytes, '\0');
  file_.read(place, &name[0], bytes);
  place += bytes;
  return name;
}

void CropsFile::read(std::size_t first, std::size_t count, std::uint8_t* to) const {
  const std::uint64_t bytes = static_cast<std::uint64_t>(width_) * static_cast<std::uint64_t>(height_);
  file_.read(pixels_at_ + bytes * first, to, static_cast<std::size_t>(bytes * count));
}

}  // namespace resemote_tools
