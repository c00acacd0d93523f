// Artifact: a folder with model files and the passport that describes them.
#pragma once

#include <string>
#include <vector>

#include "passport.h"

namespace resemote_internal {

class Artifact {
 public:
  // Opens a folder, or its passport.json, and checks that every file in the passport exists and has its size and
  // sha256. Throws Error: ARTIFACT_INVALID, PASSPORT_VERSION, ARTIFACT_MISMATCH.
  explicit Artifact(const std::string& path);
  // The same without a look at any file but the passport: for questions that the passport answers.
  static Artifact described_in(const std::string& path) { return Artifact(path, false); }

  const std::string& folder() const { return folder_; }
  const Passport& passport() const { return passport_; }
  // Path of a file of the artifact.
  std::string file(const FileEntry& entry) const { return folder_ + "/" + entry.path; }
  // First file to run (role "model" or "source") in one of these formats, tried in order; null if there is none.
  const FileEntry* find(const std::vector<std::string>& formats) const;

 private:
  Artifact(const std::string& path, bool check_files);

  std::string folder_;
  Passport passport_;
};

}  // namespace resemote_internal
