// Sink of JSON lines: each is written at once and whole.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "../errors.h"
#include "sink.h"

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;

constexpr std::size_t LINES_AHEAD = 256;

class LineSink : public Sink {
 public:
  LineSink(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  ~LineSink() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool wants_pictures() const override { return false; }
  std::size_t queue_length() const override { return LINES_AHEAD; }

  void begin(double) override {}

  bool write(const SinkItem& item) override {
    const std::string line = item.line + "\n";
    std::size_t done = 0;
    while (done < line.size()) {
      const ssize_t written = ::write(descriptor_, line.data() + done, line.size() - done);
      if (written >= 0) {
        done += static_cast<std::size_t>(written);
      } else if (errno == EAGAIN) {  // somebody who shares our output made it so
        pollfd wanted = {descriptor_, POLLOUT, 0};
        ::poll(&wanted, 1, 1000);
      } else if (errno == EPIPE) {
        return false;
      } else if (errno != EINTR) {
        const std::string why = resemote_tools::system_message(errno);
        take_back(done);
        throw ToolError(name_ + ": " + why);
      }
    }
    return true;
  }

  void finish() override {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) throw ToolError(name_ + ": " + resemote_tools::system_message(errno));
  }

 private:
  // Removes the part of a line that was written, where that can be done.
  void take_back(std::size_t bytes) {
    const off_t end = ::lseek(descriptor_, 0, SEEK_CUR);
    if (bytes == 0 || end < static_cast<off_t>(bytes)) return;
    const off_t begin = end - static_cast<off_t>(bytes);
    if (::ftruncate(descriptor_, begin) == 0) ::lseek(descriptor_, begin, SEEK_SET);
  }

  int descriptor_;
  const std::string name_;
};

// What is no regular file, such as a pipe, is never replaced.
int mode_of(const std::string& path, Existing existing) {
  struct stat facts = {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) return 0;
  return existing == Existing::REFUSE ? O_EXCL : existing == Existing::REPLACE ? O_TRUNC : O_APPEND;
}

}  // namespace

std::unique_ptr<Sink> open_line_sink(const std::string& address, Existing existing) {
  const std::string path = address.substr(address.find(':') + 1);
  if (path.empty()) throw ToolError(address + " names no file", "write jsonl:FILE, or jsonl:- for the output");
  const int descriptor =
      path == "-" ? ::dup(STDOUT_FILENO)
                  : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode_of(path, existing), 0644);
  if (descriptor < 0 && errno == EEXIST) {
    throw ToolError(path + " exists", "pass --force to replace it, --append to add to it, or another path");
  }
  if (descriptor < 0) {
    throw ToolError(path + ": " + resemote_tools::system_message(errno), "pass a path that can be written");
  }
  return std::unique_ptr<Sink>(new LineSink(descriptor, path));
}

}  // namespace resemote_camera
