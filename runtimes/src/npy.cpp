#include "npy.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "error.h"
#include "file.h"

namespace resemote_internal {
namespace {

constexpr std::int64_t kMostBytes = 256 << 20;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": cannot be read as npy (" + what +
                                                    "); export the artifact again");
}

// The value of a key in the header's dictionary.
std::string after(const std::string& header, const std::string& key, const std::string& path) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) refuse(path, "no " + key);
  std::size_t start = at + key.size() + 3;
  while (start < header.size() && header[start] == ' ') ++start;
  return header.substr(start);
}

std::vector<std::int64_t> shape_of(const std::string& text, const std::string& path) {
  std::vector<std::int64_t> shape;
  if (text.empty() || text[0] != '(') refuse(path, "no shape");
  for (std::size_t i = 1; i < text.size() && text[i] != ')'; ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
    char* end = nullptr;
    shape.push_back(std::strtoll(text.c_str() + i, &end, 10));
    i = static_cast<std::size_t>(end - text.c_str()) - 1;
  }
  return shape;
}

std::uint64_t count_of(const std::vector<std::int64_t>& shape, const std::string& path) {
  std::uint64_t count = 1;
  for (const std::int64_t side : shape) {
    if (side < 0 || side > kMostBytes) refuse(path, "a shape too large");
    count *= static_cast<std::uint64_t>(side);
    if (count > static_cast<std::uint64_t>(kMostBytes)) refuse(path, "a shape too large");
  }
  return count;
}

// A NaN would compare as equal to everything.
void refuse_no_numbers(const NpyArray& array, const std::string& path) {
  for (std::size_t at = 0; at + sizeof(float) <= array.bytes.size(); at += sizeof(float)) {
    float value = 0.0F;
    std::memcpy(&value, array.bytes.data() + at, sizeof value);
    if (!std::isfinite(value)) refuse(path, "NaN or infinity in it");
  }
}

}  // namespace

NpyArray read_npy(const std::string& path) {
  const std::string all = read_file(path, kMostBytes);
  if (all.size() < 10 || all.compare(0, 6, "\x93NUMPY", 6) != 0) refuse(path, "no magic number");
  if (all[6] != 1) refuse(path, "format version " + std::to_string(static_cast<int>(all[6])));
  const std::size_t length = static_cast<unsigned char>(all[8]) + 256u * static_cast<unsigned char>(all[9]);
  if (all.size() < 10 + length) refuse(path, "a header cut off");
  const std::string header = all.substr(10, length);
  const std::string descr = after(header, "descr", path);
  NpyArray array;
  array.dtype = descr.substr(1, 3);
  const std::uint64_t item = array.dtype == "|u1" ? 1 : array.dtype == "<f4" ? 4 : 0;
  if (item == 0) refuse(path, "dtype " + array.dtype);
  if (after(header, "fortran_order", path).compare(0, 5, "False") != 0) refuse(path, "column-major");
  array.shape = shape_of(after(header, "shape", path), path);
  array.bytes = all.substr(10 + length);
  if (array.bytes.size() != count_of(array.shape, path) * item) refuse(path, "data cut off, or too much of it");
  if (item == sizeof(float)) refuse_no_numbers(array, path);
  return array;
}

}  // namespace resemote_internal
