// Passport: what an artifact's passport.json says, for people and for reports. The library judges it; this only reads.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace resemote_tools {

struct Passport {
  std::string folder;  // of the artifact
  std::string sha256;  // of passport.json
  nlohmann::json facts;
};

// Reads the passport of an artifact that the library has accepted. Throws ToolError if it cannot be read.
Passport read_passport(const std::string& artifact);

// Compares every file with the passport. Throws ToolError at the first that differs.
void check_files(const Passport& passport);

// Entry of the list `files`. Throws ToolError if there is none.
const nlohmann::json& file_entry(const Passport& passport, const std::string& path);

// Bytes of the files that an engine reads if it is given `path`: the model, and its weights.
std::uint64_t model_size_bytes(const Passport& passport, const std::string& path);

}  // namespace resemote_tools
