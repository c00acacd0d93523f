// Files: read within bounds, and written completely or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace resemote_tools {

// A regular file that is open for reading. Folders, pipes and devices are refused, so that nothing waits for ever.
class File {
 public:
  // Throws ToolError that names the path.
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }
  // Reads exactly so many bytes from a place. Throws ToolError if there are fewer.
  void read(std::uint64_t place, void* to, std::size_t bytes) const;
  // Hex sha256 of the first `bytes`.
  std::string sha256(std::uint64_t bytes) const;

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

// Bytes of a regular file. Throws ToolError that names the path if there are more than `most`.
std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t most);

// Throws ToolError if no file can be written at the path: something is there that is no regular file, or a file and not
// `force`, or the folder is missing or cannot be written. For use before the work whose results go there.
void check_output(const std::string& path, bool force);

// Writes a file beside its place and then moves it there. Throws ToolError; then nothing is changed.
void write_whole_file(const std::string& path, const std::string& content);

}  // namespace resemote_tools
