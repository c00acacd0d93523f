#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
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

// A regular file and nothing else: a FIFO would wait for a writer, and a device may never end. What is opened is looked at,
// so that nothing else can take the name's place in between.
std::unique_ptr<std::FILE, Close> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat found {};
  if (descriptor >= 0 && ::fstat(descriptor, &found) == 0 && !S_ISREG(found.st_mode)) {
    ::close(descriptor);
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": not a regular file; copy or export the artifact again");
  }
  std::unique_ptr<std::FILE, Close> stream(descriptor < 0 ? nullptr : ::fdopen(descriptor, "rb"));
  if (!stream) {
    const std::string reason = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": cannot be opened: " + reason);
  }
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

constexpr mode_t kFileMode = 0644;  // mkstemp gives 0600, and other users of the board may share the cache
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

std::int64_t file_size(const std::string& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return -1;
  return static_cast<std::int64_t>(found.st_size);
}

bool is_folder(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

bool leads_out(const std::string& folder, const std::string& path) {
  struct stat found;
  if (::lstat(path.c_str(), &found) != 0 || !S_ISLNK(found.st_mode)) return false;
  const auto real = [](const std::string& of) {
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(of.c_str(), nullptr), std::free);
    return resolved ? std::string(resolved.get()) : std::string();
  };
  const std::string target = real(path);
  return target.empty() || target.substr(0, target.rfind('/')) != real(folder);
}

std::string read_file(const std::string& path, std::int64_t most) {
  const std::int64_t size = file_size(path);
  const auto check = [&](std::int64_t bytes) {
    if (bytes <= most) return;
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": " + std::to_string(bytes) + " bytes, where at most " +
                                                      std::to_string(most) + " make sense; export the artifact again");
  };
  check(size);
  std::string contents;
  if (size > 0) contents.reserve(static_cast<std::size_t>(size));  // grown by doubling, a plan would be there twice
  in_blocks(path, [&](const char* data, std::size_t count) {
    contents.append(data, count);
    check(static_cast<std::int64_t>(contents.size()));  // it may grow while it is read
  });
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

void write_whole_file(const std::string& path, const Contents& contents) {
  TemporaryFile file(path);
  file.write_all(contents.head.data(), contents.head.size());
  file.write_all(static_cast<const char*>(contents.rest), contents.rest_size);
  file.move_to_target();
}

void create_folder(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    // What is there already, or stands on a read-only file system, is judged below.
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

}  // namespace resemote_internal
