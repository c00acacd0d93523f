#include "artifact.h"

#include <algorithm>

#include "error.h"
#include "file.h"
#include "onnx_file.h"

namespace resemote_internal {
namespace {

// With the hashes of its calibration images, a passport has about 100 kB.
constexpr std::int64_t kMostPassportBytes = 16 << 20;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string folder_of(std::string path) {
  const std::string name = std::string("/") + kPassportName;
  if (path == kPassportName) return ".";
  if (ends_with(path, name)) path.resize(path.size() - name.size());
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

void check_file(const std::string& path, const FileEntry& entry) {
  const std::int64_t size = file_size(path);
  if (size < 0) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                path + ": listed in the passport but missing, or not a regular file; copy or export the artifact again");
  }
  if (static_cast<std::uint64_t>(size) != entry.size_bytes) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                path + ": " + std::to_string(size) + " bytes, the passport says " + std::to_string(entry.size_bytes) +
                    "; copy or export the artifact again");
  }
  const std::string found = file_sha256(path);
  if (found != entry.sha256) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH, path + ": sha256 " + found.substr(0, 12) +
                                                       "..., the passport says " + entry.sha256.substr(0, 12) +
                                                       "...: the file was changed; copy or export the artifact again");
  }
}

// What an engine would read as another format than the passport says, or along with files that it does not list.
void check_format(const std::string& path, const FileEntry& entry) {
  const bool onnx = entry.format == "onnx";
  if (!onnx && entry.format != "openvino-ir") return;
  const std::string end = onnx ? ".onnx" : ".xml";
  if (!ends_with(path, end)) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                path + ": listed as " + entry.format + ", whose files end in " + end + "; export the artifact again");
  }
  if (onnx) {
    refuse_external_data(path);
  } else if (first_bytes(path, 5) != "<?xml") {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                path + ": listed as " + entry.format + ", but is not XML; export the artifact again");
  }
}

}  // namespace

Artifact::Artifact(const std::string& path) : Artifact(path, true) {}

Artifact::Artifact(const std::string& path, bool check_files) : folder_(folder_of(path)) {
  if (!is_folder(folder_)) {
    const char* found = file_size(folder_) >= 0 ? "a file" : "nothing there";
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                folder_ + ": an artifact is a folder with a " + kPassportName + ", found " + found);
  }
  const std::string manifest = folder_ + "/" + kPassportName;
  if (file_size(manifest) < 0) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, folder_ + ": no " + kPassportName +
                                                      " in this folder, so it is not an artifact; make one with: "
                                                      "resemote-edge export");
  }
  passport_ = parse_passport(read_file(manifest, kMostPassportBytes), manifest);
  if (!check_files) return;
  for (const FileEntry& entry : passport_.files) {
    if (leads_out(folder_, file(entry))) {
      throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                  file(entry) + ": a link that leads out of the artifact's folder; copy the file itself");
    }
    check_file(file(entry), entry);
  }
  for (const FileEntry& entry : passport_.files) check_format(file(entry), entry);
}

const FileEntry* Artifact::find(const std::vector<std::string>& formats) const {
  for (const std::string& format : formats) {
    for (const FileEntry& entry : passport_.files) {
      if (entry.format == format && (entry.role == "model" || entry.role == "source")) return &entry;
    }
  }
  return nullptr;
}

}  // namespace resemote_internal
