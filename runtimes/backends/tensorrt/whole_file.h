// Functions that read a file as a whole, and write it completely or not at all. POSIX.
#pragma once

#include <cstddef>
#include <string>

namespace resemote_internal {
namespace tensorrt {

// Reads a file into `contents`. Returns false and the reason if it cannot be read.
bool read_whole_file(const std::string& path, std::string& contents, std::string& reason);

// Writes to a temporary file beside `path`, flushes it to the disk and renames it. Anyone who opens `path`, even after
// a crash, finds the old contents or the new. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
void write_whole_file(const std::string& path, const void* contents, std::size_t size);

// Creates a folder and its parents. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if that fails, or if the folder
// cannot be written to.
void create_folder(const std::string& path);

}  // namespace tensorrt
}  // namespace resemote_internal
