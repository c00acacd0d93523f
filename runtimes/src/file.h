// Functions that read files whole or in blocks, and write them whole or not at all. POSIX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace resemote_internal {

// Size of a regular file in bytes; negative if there is none.
std::int64_t file_size(const std::string& path);
bool is_folder(const std::string& path);
// Whether a path is a symbolic link to something outside of a folder.
bool leads_out(const std::string& folder, const std::string& path);

// Contents of a file. Throws Error with RESEMOTE_STATUS_ARTIFACT_INVALID if it cannot be read or exceeds `most` bytes.
std::string read_file(const std::string& path, std::int64_t most = std::numeric_limits<std::int64_t>::max());

// Up to `count` bytes from the beginning of a file. Throws the same.
std::string first_bytes(const std::string& path, std::size_t count);

// Hex sha256 of a file's contents. Throws the same.
std::string file_sha256(const std::string& path);

// Writes to a temporary file beside `path`, flushes it to the disk and renames it. At any time and after any crash,
// `path` has the old contents or the new ones. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
//
// The contents may come in two parts, the second of which may be large and is not copied.
struct Contents {
  std::string head;
  const void* rest = nullptr;
  std::size_t rest_size = 0;
};
void write_whole_file(const std::string& path, const Contents& contents);

// Creates a folder and those above it. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if that fails, or if the
// folder cannot be written to.
void create_folder(const std::string& path);

}  // namespace resemote_internal
