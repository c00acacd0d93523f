// Files that are read whole or in blocks, and written whole or not at all. POSIX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace resemote_internal {

// Size of a regular file; negative where there is none.
std::int64_t file_size(const std::string& path);
bool is_folder(const std::string& path);

// Its contents; throws Error with RESEMOTE_STATUS_ARTIFACT_INVALID where it cannot be read or has more than `most`.
std::string read_file(const std::string& path, std::int64_t most = std::numeric_limits<std::int64_t>::max());

// Hex sha256 of its contents; throws the same.
// Up to `count` bytes from its beginning.
std::string first_bytes(const std::string& path, std::size_t count);

std::string file_sha256(const std::string& path);

// Writes to a temporary file beside `path`, flushes it to the disk and renames it: whoever opens `path`, at any time
// and after any crash, finds the old contents or the new. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
void write_whole_file(const std::string& path, const void* contents, std::size_t size);

// Creates a folder and those above it. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where that fails, or where
// nothing can be written to it.
void create_folder(const std::string& path);

}  // namespace resemote_internal
