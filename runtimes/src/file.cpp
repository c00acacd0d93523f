#include "file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "error.h"
#include "sha256.h"

namespace resemote_internal {
namespace {

struct Close {
  void operator()(std::FILE* stream) const { std::fclose(stream); }
};

std::unique_ptr<std::FILE, Close> open_file(const std::string& path) {
  std::unique_ptr<std::FILE, Close> stream(std::fopen(path.c_str(), "rb"));
  if (!stream) throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": cannot be opened: " + std::strerror(errno));
  return stream;
}

void in_blocks(const std::string& path, const std::function<void(const char*, std::size_t)>& take) {
  const auto stream = open_file(path);
  std::vector<char> block(1 << 20);
  std::size_t got = 0;
  while ((got = std::fread(block.data(), 1, block.size(), stream.get())) > 0) take(block.data(), got);
  if (std::ferror(stream.get())) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": cannot be read: " + std::strerror(errno));
  }
}

}  // namespace

std::int64_t file_size(const std::string& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return -1;
  return static_cast<std::int64_t>(found.st_size);
}

bool is_folder(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

std::string read_file(const std::string& path, std::int64_t most) {
  const std::int64_t size = file_size(path);
  if (size > most) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": " + std::to_string(size) + " bytes, where at most " +
                                                      std::to_string(most) + " make sense; export the artifact again");
  }
  std::string contents;
  if (size > 0) contents.reserve(static_cast<std::size_t>(size));  // grown by doubling, a plan would be there twice
  in_blocks(path, [&](const char* data, std::size_t count) { contents.append(data, count); });
  return contents;
}

std::string first_bytes(const std::string& path, std::size_t count) {
  const auto stream = open_file(path);
  std::string found(count, '\0');
  found.resize(std::fread(&found[0], 1, count, stream.get()));
  return found;
}

std::string file_sha256(const std::string& path) {
  Sha256 digest;
  in_blocks(path, [&](const char* data, std::size_t count) { digest.update(data, count); });
  return digest.finish();
}

}  // namespace resemote_internal
