#include "whole_file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "error.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

constexpr mode_t kFileMode = 0644;  // mkstemp sets 0600, but other users of the board may share the cache
constexpr mode_t kFolderMode = 0755;

// A temporary file, removed unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : target_(target) {
    const std::string pattern = target + ".partial-XXXXXX";
    path_.assign(pattern.begin(), pattern.end());
    path_.push_back('\0');
    descriptor_ = mkstemp(path_.data());
    if (descriptor_ < 0) fail();
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.data());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write_all(const char* contents, std::size_t size) {
    while (size > 0) {
      const ssize_t written = write(descriptor_, contents, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail();
      contents += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  void move_to_target() {
    if (fchmod(descriptor_, kFileMode) != 0 || fsync(descriptor_) != 0) fail();
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 || std::rename(path_.data(), target_.c_str()) != 0) fail();
    renamed_ = true;
  }

 private:
  [[noreturn]] void fail() {
    const int code = errno;
    // The destructor does not run for an object whose constructor throws; there is no file then.
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, target_ + ": cannot be written (" + std::strerror(code) +
                                                    "); make room, or choose another folder to cache engines in");
  }

  std::string target_;
  std::vector<char> path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

bool read_whole_file(const std::string& path, std::string& contents, std::string& reason) {
  struct stat found {};
  std::ifstream file(path, std::ios::binary);
  if (!file || stat(path.c_str(), &found) != 0) {
    reason = path + ": " + std::strerror(errno);
    return false;
  }
  if (!S_ISREG(found.st_mode)) {  // a folder can be opened like a file
    reason = path + ": is not a file";
    return false;
  }
  contents.resize(static_cast<std::size_t>(found.st_size));
  if (!contents.empty()) file.read(&contents[0], static_cast<std::streamsize>(contents.size()));
  if (!file) {
    reason = path + ": cannot be read to its end";
    return false;
  }
  return true;
}

void write_whole_file(const std::string& path, const void* contents, std::size_t size) {
  TemporaryFile file(path);
  file.write_all(static_cast<const char*>(contents), size);
  file.move_to_target();
}

void create_folder(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    // An existing folder, or one on a read-only file system, is checked below.
    mkdir(part.c_str(), kFolderMode);
    if (end == std::string::npos) break;
  }
  struct stat found {};
  if (stat(path.c_str(), &found) == 0 && !S_ISDIR(found.st_mode)) errno = ENOTDIR;
  if (!S_ISDIR(found.st_mode) || access(path.c_str(), W_OK | X_OK) != 0) {
    const int code = errno;
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, path + ": is no folder to cache engines in (" + std::strerror(code) +
                                                      "); choose another one");
  }
}

}  // namespace tensorrt
}  // namespace resemote_internal
