// Files that are written whole or not at all. POSIX.
#pragma once

#include <cstddef>
#include <string>

namespace resemote_internal {
namespace tensorrt {

// Writes to a temporary file beside `path`, flushes it to the disk and renames it: whoever opens `path`, at any time
// and after any crash, finds the old contents or the new. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
void write_whole_file(const std::string& path, const void* contents, std::size_t size);

// Creates a folder and those above it. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where that fails, or where
// nothing can be written to it.
void create_folder(const std::string& path);

}  // namespace tensorrt
}  // namespace resemote_internal
