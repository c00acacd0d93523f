#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "../src/sha256.h"
#include "errors.h"

namespace resemote_tools {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  const int error = errno;
  throw ToolError(path + ": " + what + ": " + system_message(error));
}

}  // namespace

File::File(const std::string& path) : path_(path) {
  // A pipe must not be waited for.
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    if (errno == ENOENT) throw ToolError(path + ": no such file", "check the path");
    fail(path, "cannot be opened");
  }
  struct stat facts;
  const bool known = fstat(descriptor_, &facts) == 0;
  if (!known || !S_ISREG(facts.st_mode)) {
    close(descriptor_);
    throw ToolError(path + ": " + (known ? kind_of(facts.st_mode) : "something unknown") + " rather than a file",
                    "pass a file");
  }
  size_ = static_cast<std::uint64_t>(facts.st_size);
}

File::~File() { close(descriptor_); }

void File::read(std::uint64_t place, void* to, std::size_t bytes) const {
  char* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor_, next, bytes, static_cast<off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read");
    if (got == 0) throw ToolError(path_ + ": ends at byte " + std::to_string(place) + ", more was expected",
                                  "copy it again");
    next += got;
    place += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string File::sha256(std::uint64_t bytes) const {
  resemote_internal::Sha256 hash;
  std::vector<char> buffer(1 << 20);
  for (std::uint64_t place = 0; place < bytes;) {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), bytes - place));
    read(place, buffer.data(), part);
    hash.update(buffer.data(), part);
    place += part;
  }
  return hash.finish();
}

std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t most) {
  const File file(path);
  if (file.size() > most) {
    throw ToolError(path + ": " + std::to_string(file.size()) + " bytes",
                    "files of up to " + std::to_string(most) + " bytes are read");
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

void check_output(const std::string& path, bool force) {
  if (path.empty()) throw ToolError("the name of the file to write is empty", "pass the name of a file");
  struct stat facts;
  if (stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    throw ToolError(path + ": " + kind_of(facts.st_mode) + " rather than a file", "pass the name of a file");
  }
  // A link that leads nowhere is something, too.
  if (!force && lstat(path.c_str(), &facts) == 0) {
    throw ToolError(path + " exists", "pass --force to replace it, or another path");
  }
  // Something is written, because emulators and network file systems do not answer access() rightly.
  std::string beside = path + ".XXXXXX";
  const int descriptor = mkstemp(&beside[0]);
  if (descriptor < 0) {
    throw ToolError(path + ": cannot be written: " + system_message(errno), "pass a path in a folder that can be written");
  }
  close(descriptor);
  unlink(beside.c_str());
}

void write_whole_file(const std::string& path, const std::string& content) {
  std::string beside = path + ".XXXXXX";
  const int descriptor = mkstemp(&beside[0]);
  if (descriptor < 0) fail(path, "cannot be written");
  std::size_t written = 0;
  bool good = fchmod(descriptor, 0644) == 0;
  while (good && written < content.size()) {
    const ssize_t part = ::write(descriptor, content.data() + written, content.size() - written);
    if (part < 0 && errno == EINTR) continue;
    good = part >= 0;
    if (good) written += static_cast<std::size_t>(part);
  }
  good = good && fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  errno = error;
  if (good && std::rename(beside.c_str(), path.c_str()) == 0) return;
  const int reason = errno;
  unlink(beside.c_str());
  errno = reason;
  fail(path, "cannot be written");
}

}  // namespace resemote_tools
