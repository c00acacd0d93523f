#include "passport.h"

#include <sys/stat.h>

#include "../src/sha256.h"
#include "errors.h"
#include "file.h"

namespace resemote_tools {
namespace {

constexpr std::uint64_t MOST_BYTES = 16u << 20;  // as the library
const char NAME[] = "passport.json";

std::string folder_of(const std::string& artifact) {
  struct stat facts;
  if (stat(artifact.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
    const std::size_t slash = artifact.rfind('/');
    return slash == std::string::npos ? "." : artifact.substr(0, slash);
  }
  return artifact;
}

}  // namespace

Passport read_passport(const std::string& artifact) {
  Passport passport;
  passport.folder = folder_of(artifact);
  const std::string path = passport.folder + "/" + NAME;
  const std::vector<std::uint8_t> bytes = read_whole_file(path, MOST_BYTES);
  passport.sha256 = resemote_internal::sha256(bytes.data(), bytes.size());
  passport.facts = nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                                       reinterpret_cast<const char*>(bytes.data() + bytes.size()), nullptr, false);
  if (!passport.facts.is_object() || !passport.facts.value("files", nlohmann::json()).is_array()) {
    throw ToolError(path + ": not a passport", "export the artifact again");
  }
  return passport;
}

void check_files(const Passport& passport) {
  for (const nlohmann::json& entry : passport.facts.at("files")) {
    const File file(passport.folder + "/" + entry.at("path").get<std::string>());
    const std::uint64_t size = entry.at("size_bytes").get<std::uint64_t>();
    const std::string cure = "copy or export the artifact again";
    if (file.size() != size) {
      throw ToolError(file.path() + ": " + std::to_string(file.size()) + " bytes, the passport says " +
                          std::to_string(size), cure);
    }
    if (file.sha256(size) != entry.at("sha256").get<std::string>()) {
      throw ToolError(file.path() + ": its sha256 is another than the passport's: the file was changed", cure);
    }
  }
}

const nlohmann::json& file_entry(const Passport& passport, const std::string& path) {
  for (const nlohmann::json& entry : passport.facts.at("files")) {
    if (entry.at("path") == path) return entry;
  }
  throw ToolError(passport.folder + ": the passport does not list " + path, "export the artifact again");
}

std::uint64_t model_size_bytes(const Passport& passport, const std::string& path) {
  const nlohmann::json& model = file_entry(passport, path);
  std::uint64_t bytes = model.at("size_bytes").get<std::uint64_t>();
  if (model.at("role") != "model") return bytes;
  for (const nlohmann::json& entry : passport.facts.at("files")) {
    if (entry.at("role") == "weights") bytes += entry.at("size_bytes").get<std::uint64_t>();
  }
  return bytes;
}

}  // namespace resemote_tools
