// Passport: the parts of an artifact's JSON description that are needed to run it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tensor.h"

namespace resemote_internal {

// The schema that this library reads. Another one is refused with both numbers.
constexpr int kPassportSchema = 2;
constexpr char kPassportName[] = "passport.json";

// One file beside the passport.
struct FileEntry {
  std::string path;  // a plain file name
  std::string role;
  std::string format;
  std::string sha256;  // hex
  std::uint64_t size_bytes = 0;
};

// Input of the graph.
enum class InputFormat { kTensor, kGrayU8, kRgbU8, kBgrU8 };

// What an artifact is for.
enum class Kind { kClassifier, kDetector };

// How a detector's boxes are read and used. The Python counterpart is detector_passport.DetectorPassport.
struct DetectorSpec {
  std::string family;
  int height = 0;
  int width = 0;
  InputFormat input = InputFormat::kTensor;  // or kBgrU8
  double framing_scale = 1.0;
  double framing_shift = 0.0;
  double min_score = 0.0;
  double max_overlap = 0.0;
};

// Preprocessing from a face crop to the input. The Python counterpart is preprocessing.PreprocessSpec.
struct PreprocessSpec {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::array<double, 3> mean{};
  std::array<double, 3> std{};
  InputFormat input = InputFormat::kTensor;
};

// Builder and GPUs that a TensorRT engine is tied to.
struct EngineInfo {
  bool present = false;
  std::string builder;
  std::string version;
  std::vector<std::string> compute_capabilities;
  std::string typing;
};

struct GoldenInfo {
  std::string inputs;   // file of the crops, or of a detector's pictures
  std::string outputs;  // file of the logits, or of all values of a detector's outputs
  std::int64_t count = 0;
  int repeat = 1;  // how often each pixel of a detector's pictures stands in both directions
  double max_abs_diff = 0.0;
};

struct Passport {
  Kind kind = Kind::kClassifier;
  std::string name;
  std::string target;
  std::string precision;
  std::vector<std::string> labels;  // of a classifier, as the preprocessing is
  PreprocessSpec preprocessing;
  DetectorSpec detector;  // of a detector
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::int64_t batch_min = 1;
  std::int64_t batch_opt = 1;
  std::int64_t batch_max = 0;  // 0: no limit
  std::vector<FileEntry> files;
  GoldenInfo golden;
  EngineInfo engine;
  bool quantized_activations = false;
  int weight_levels = 0;  // largest magnitude of a weight's integer; 0: not quantized

  bool gives_probabilities() const { return outputs.front().name == "probabilities"; }
};

// Parses a passport and checks it. `origin` is shown in messages. Throws Error: PASSPORT_VERSION or ARTIFACT_INVALID.
Passport parse_passport(const std::string& json, const std::string& origin);

}  // namespace resemote_internal
