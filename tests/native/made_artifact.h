// MadeArtifact: an artifact for the echo backend in a folder of its own, removed at the end.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

class MadeArtifact {
 public:
  // `input`: as a passport says it: "tensor", "gray-u8", "rgb-u8" or "bgr-u8".
  explicit MadeArtifact(const std::string& input = "tensor");
  ~MadeArtifact();
  MadeArtifact(const MadeArtifact&) = delete;
  MadeArtifact& operator=(const MadeArtifact&) = delete;

  const char* path() const { return folder_.c_str(); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  // The passport, to be changed and written again.
  nlohmann::json passport;
  void write_passport() const;
  // Replaces a file's contents, and what the passport says of it. The passport is not written.
  void replace(const std::string& name, const std::string& contents);

 private:
  std::string folder_;
};

// An npy file of numpy's first format.
std::string made_npy(const std::string& dtype, const std::string& shape, const std::string& data);

// Replaces a file's contents.
void write_text(const std::string& path, const std::string& contents);
