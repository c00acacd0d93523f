#include "made_artifact.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "sha256.h"

using nlohmann::json;

std::string made_npy(const std::string& dtype, const std::string& shape, const std::string& data) {
  std::string header = "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string all("\x93NUMPY\x01\x00", 8);
  all += static_cast<char>(header.size());
  all += '\0';
  return all + header + data;
}

namespace {

json entry(const std::string& name, const std::string& role, const std::string& format, const std::string& contents) {
  resemote_internal::Sha256 digest;
  digest.update(contents.data(), contents.size());
  return {{"path", name},
          {"role", role},
          {"format", format},
          {"sha256", digest.finish()},
          {"size_bytes", contents.size()}};
}

}  // namespace

void write_text(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

MadeArtifact::MadeArtifact(const std::string& input) {
  char folder[] = "/tmp/resemote-test-XXXXXX";
  if (mkdtemp(folder) == nullptr) std::abort();
  folder_ = folder;
  // What echo gives for these crops is not known here, so the self-test is expected to fail.
  const std::string model = "\x0a\x04" "echo", crops = made_npy("|u1", "(2, 16, 16, 3)", std::string(2 * 16 * 16 * 3, '\x40')),
                    logits = made_npy("<f4", "(2, 3)", std::string(2 * 3 * 4, '\0'));
  write_text(file("model.onnx"), model);
  write_text(file("golden_crops.npy"), crops);
  write_text(file("golden_logits.npy"), logits);
  const bool tensor = input == "tensor";
  const int channels = input == "gray-u8" ? 1 : 3;
  const json shape = tensor ? json{"batch", 3, 64, 64} : json{"batch", 64, 64, channels};
  passport = {
      {"schema_version", 2},
      {"name", "made"},
      {"target", "onnx"},
      {"precision", "fp32"},
      {"labels", {"happy", "sad", "neutral"}},
      {"preprocessing",
       {{"height", 64},
        {"width", 64},
        {"channels", 3},
        {"resize", "triangle"},
        {"mean", {0.485, 0.456, 0.406}},
        {"std", {0.229, 0.224, 0.225}},
        {"input", input}}},
      {"inputs", json::array({{{"name", "input"}, {"dtype", tensor ? "float32" : "uint8"}, {"shape", shape}}})},
      {"outputs", json::array({{{"name", "logits"}, {"dtype", "float32"}, {"shape", {"batch", 3}}}})},
      {"batch", {{"min", 1}, {"opt", 1}, {"max", nullptr}}},
      {"files", json::array({entry("model.onnx", "model", "onnx", model),
                             entry("golden_crops.npy", "golden", "npy", crops),
                             entry("golden_logits.npy", "golden", "npy", logits)})},
      {"golden", {{"crops", "golden_crops.npy"}, {"logits", "golden_logits.npy"}, {"count", 2}, {"max_abs_diff", 1e-3}}},
      {"engine", nullptr},
      {"quantization", nullptr},
  };
  write_passport();
}

MadeArtifact::~MadeArtifact() {
  if (DIR* stream = opendir(folder_.c_str())) {
    while (const dirent* found = readdir(stream)) std::remove(file(found->d_name).c_str());
    closedir(stream);
  }
  rmdir(folder_.c_str());
}

void MadeArtifact::replace(const std::string& name, const std::string& contents) {
  write_text(file(name), contents);
  for (json& listed : passport["files"]) {
    if (listed["path"] == name) listed = entry(name, listed["role"], listed["format"], contents);
  }
}

void MadeArtifact::write_passport() const { write_text(file("passport.json"), passport.dump()); }
