// Functions that read files, whole or in blocks.
#pragma once

#include <cstdint>
#include <string>

namespace resemote_internal {

// Size of a regular file in bytes; negative if there is none.
std::int64_t file_size(const std::string& path);
bool is_folder(const std::string& path);

// Contents of a file. Throws Error with RESEMOTE_STATUS_ARTIFACT_INVALID if it cannot be read or exceeds `most` bytes.
std::string read_file(const std::string& path, std::int64_t most);

// Hex sha256 of a file's contents. Throws the same.
std::string file_sha256(const std::string& path);

}  // namespace resemote_internal
