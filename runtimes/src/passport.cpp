#include "passport.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "error.h"

namespace resemote_internal {
namespace {

using nlohmann::json;

// A mistake in a passport, without the rest of the message.
struct Fault {
  std::string what;
};

constexpr std::size_t kMostNameBytes = 200;
constexpr std::int64_t kMostGolden = 4096;
constexpr std::size_t kMostOutputBytes = std::size_t{1} << 26;  // of a detector; three times what the largest input gives

std::string in_quotes(const std::string& name) { return "'" + name + "'"; }

const json& member(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) throw Fault{"field " + in_quotes(name) + " is missing"};
  return object.at(name);
}

template <typename T>
T value(const json& object, const char* name) {
  try {
    return member(object, name).get<T>();
  } catch (const json::exception&) {
    throw Fault{"field " + in_quotes(name) + " is of another type"};
  }
}

std::int64_t integer(const json& object, const char* name) {
  const json& found = member(object, name);
  if (!found.is_number_integer()) throw Fault{"field " + in_quotes(name) + " is not an integer"};
  // A number above 2^63 is unsigned and would become negative.
  if (found.is_number_unsigned() && found.get<std::uint64_t>() > INT64_MAX) {
    throw Fault{"field " + in_quotes(name) + " is too large"};
  }
  return found.get<std::int64_t>();
}

int small_integer(const json& object, const char* name, std::int64_t low, std::int64_t high) {
  const std::int64_t found = integer(object, name);
  if (found < low || found > high) throw Fault{"field " + in_quotes(name) + " is " + std::to_string(found)};
  return static_cast<int>(found);
}

const json& array(const json& object, const char* name, std::size_t most) {
  const json& found = member(object, name);
  if (!found.is_array() || found.size() > most) throw Fault{"field " + in_quotes(name) + " is not a list, or too long"};
  return found;
}

std::array<double, 3> three(const json& object, const char* name) {
  const json& list = array(object, name, 3);
  std::array<double, 3> found{};
  if (list.size() != 3) throw Fault{"field " + in_quotes(name) + " has not three numbers"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!list[i].is_number()) throw Fault{"field " + in_quotes(name) + " has not three numbers"};
    found[i] = list[i].get<double>();
  }
  return found;
}

InputFormat input_format(const std::string& name) {
  if (name == "tensor") return InputFormat::kTensor;
  if (name == "gray-u8") return InputFormat::kGrayU8;
  if (name == "rgb-u8") return InputFormat::kRgbU8;
  if (name == "bgr-u8") return InputFormat::kBgrU8;
  throw Fault{"the network takes " + in_quotes(name) + ", which this library does not know"};
}

PreprocessSpec preprocess_spec(const json& object) {
  PreprocessSpec spec;
  spec.height = small_integer(object, "height", 8, 4096);
  spec.width = small_integer(object, "width", 8, 4096);
  spec.channels = small_integer(object, "channels", 1, 3);
  const std::string resize = value<std::string>(object, "resize");
  if (resize != "triangle") throw Fault{"preprocessing resizes by " + in_quotes(resize) + ", not by triangle"};
  spec.mean = three(object, "mean");
  spec.std = three(object, "std");
  const auto sound = [](double value) { return std::isfinite(value); };
  if (!std::all_of(spec.mean.begin(), spec.mean.end(), sound) || !std::all_of(spec.std.begin(), spec.std.end(), sound) ||
      *std::min_element(spec.std.begin(), spec.std.end()) <= 0.0) {
    throw Fault{"preprocessing has a mean or std that is not finite, or divides by a std that is not positive"};
  }
  spec.input = input_format(value<std::string>(object, "input"));
  return spec;
}

double number(const json& object, const char* name, double low, double high) {
  const json& found = member(object, name);
  if (!found.is_number() || !(found.get<double>() >= low && found.get<double>() <= high)) {
    throw Fault{"field " + in_quotes(name) + " is no number from " + std::to_string(low) + " to " +
                std::to_string(high)};
  }
  return found.get<double>();
}

DetectorSpec detector_spec(const json& root) {
  DetectorSpec spec;
  spec.family = value<std::string>(root, "family");
  spec.height = small_integer(root, "height", 32, 4096);
  spec.width = small_integer(root, "width", 32, 4096);
  if (spec.height % 32 != 0 || spec.width % 32 != 0) throw Fault{"the input's sides are no multiples of 32"};
  const std::string input = value<std::string>(root, "input");
  spec.input = input_format(input);
  if (spec.input != InputFormat::kTensor && spec.input != InputFormat::kBgrU8) {
    throw Fault{"a detector that takes " + in_quotes(input) + ", not tensor or bgr-u8"};
  }
  spec.framing_scale = number(member(root, "framing"), "scale", 0.01, 100.0);
  spec.framing_shift = number(member(root, "framing"), "shift", -100.0, 100.0);
  spec.min_score = number(root, "min_score", 0.0, 1.0);
  spec.max_overlap = number(root, "max_overlap", 0.0, 1.0);
  return spec;
}

TensorSpec tensor_spec(const json& object) {
  TensorSpec spec;
  spec.name = value<std::string>(object, "name");
  const std::string dtype = value<std::string>(object, "dtype");
  if (dtype == "float32") {
    spec.dtype = RESEMOTE_DTYPE_FLOAT32;
  } else if (dtype == "uint8") {
    spec.dtype = RESEMOTE_DTYPE_UINT8;
  } else {
    throw Fault{"tensor " + in_quotes(spec.name) + " has dtype " + dtype + ", which this library does not know"};
  }
  for (const json& dim : array(object, "shape", RESEMOTE_MAX_RANK)) {
    const bool batch = dim.is_string() && dim.get<std::string>() == "batch" && spec.dims.empty();
    if (!batch && !(dim.is_number_unsigned() && dim.get<std::uint64_t>() >= 1 && dim.get<std::uint64_t>() <= 65536)) {
      throw Fault{"tensor " + in_quotes(spec.name) + " has a shape that is not 'batch' and sizes"};
    }
    spec.dims.push_back(batch ? -1 : dim.get<std::int64_t>());
  }
  return spec;
}

// Whether a name stays in the folder it is put into, and prints as one line.
bool is_file_name(const std::string& name) {
  const auto odd = [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '/' || c == '\\'; };
  return !name.empty() && name != "." && name != ".." && name.size() <= kMostNameBytes &&
         std::none_of(name.begin(), name.end(), odd);
}

FileEntry file_entry(const json& object) {
  FileEntry entry;
  entry.path = value<std::string>(object, "path");
  if (!is_file_name(entry.path)) throw Fault{"file entry " + in_quotes(entry.path) + " points outside the artifact's folder"};
  entry.role = value<std::string>(object, "role");
  entry.format = value<std::string>(object, "format");
  entry.sha256 = value<std::string>(object, "sha256");
  entry.size_bytes = static_cast<std::uint64_t>(integer(object, "size_bytes"));
  return entry;
}

EngineInfo engine_info(const json& object) {
  EngineInfo info;
  if (object.is_null()) return info;
  info.present = true;
  info.builder = value<std::string>(object, "builder");
  info.version = value<std::string>(object, "version");
  info.compute_capabilities = value<std::vector<std::string>>(object, "compute_capabilities");
  info.typing = value<std::string>(object, "typing");
  return info;
}

void read_batch(const json& object, Passport& passport) {
  passport.batch_min = integer(object, "min");
  passport.batch_opt = integer(object, "opt");
  const json& max = member(object, "max");
  passport.batch_max = max.is_null() ? 0 : integer(object, "max");
  const bool sound = 1 <= passport.batch_min && passport.batch_min <= passport.batch_opt &&
                     (max.is_null() || passport.batch_opt <= passport.batch_max);
  if (!sound) throw Fault{"batch sizes need 1 <= min <= opt <= max"};
}

void read_quantization(const json& object, Passport& passport) {
  if (object.is_null()) return;
  passport.quantized_activations = value<std::string>(object, "activations") != "float";
  passport.weight_levels = small_integer(object, "weight_levels", 1, 255);
}

// The first side of a classifier's tensors is the batch; a detector takes one picture at a time.
void check_batch_sides(const Passport& passport) {
  const std::int64_t wanted = passport.kind == Kind::kDetector ? 1 : -1;
  for (const std::vector<TensorSpec>* specs : {&passport.inputs, &passport.outputs}) {
    for (const TensorSpec& spec : *specs) {
      if (spec.dims.empty() || spec.dims.front() != wanted) {
        throw Fault{"tensor " + in_quotes(spec.name) + " has no " + (wanted < 0 ? "batch" : "1") + " in front"};
      }
    }
  }
  if (passport.kind == Kind::kDetector && (passport.batch_min != 1 || passport.batch_max != 1)) {
    throw Fault{"a detector with another batch size than 1"};
  }
}

// The same for a detector, whose outputs may be any number of floats.
void check_detector(const Passport& passport) {
  const DetectorSpec& spec = passport.detector;
  const bool tensor = spec.input == InputFormat::kTensor;
  const std::vector<std::int64_t> dims = tensor ? std::vector<std::int64_t>{1, 3, spec.height, spec.width}
                                                : std::vector<std::int64_t>{1, spec.height, spec.width, 3};
  const bool fits = passport.inputs.size() == 1 && passport.inputs[0].dims == dims &&
                    passport.inputs[0].dtype == (tensor ? RESEMOTE_DTYPE_FLOAT32 : RESEMOTE_DTYPE_UINT8);
  if (!fits) throw Fault{"the input's spec is not a picture of the detector's size"};
  std::set<std::string> names;
  std::size_t bytes = 0;
  for (const TensorSpec& output : passport.outputs) {
    const bool sound = output.dtype == RESEMOTE_DTYPE_FLOAT32 && names.insert(output.name).second;
    // Sides are at most 65536, so that the product of the three that detectors have does not overflow.
    if (!sound || output.dims.size() > 4 || (bytes += output.bytes(1)) > kMostOutputBytes) {
      throw Fault{"output " + in_quotes(output.name) + " is no detector's"};
    }
  }
  if (passport.outputs.empty()) throw Fault{"there is no output"};
  const GoldenInfo& golden = passport.golden;
  if (spec.height % golden.repeat != 0 || spec.width % golden.repeat != 0) {
    throw Fault{"the self-test's pictures do not fill the input"};
  }
}

// The input that this preprocessing needs. With any other, memory would be read or written past its end.
void check_input(const Passport& passport) {
  const PreprocessSpec& spec = passport.preprocessing;
  const bool tensor = spec.input == InputFormat::kTensor;
  const std::int64_t channels = tensor ? spec.channels : spec.input == InputFormat::kGrayU8 ? 1 : 3;
  const std::vector<std::int64_t> dims = tensor ? std::vector<std::int64_t>{-1, channels, spec.height, spec.width}
                                                : std::vector<std::int64_t>{-1, spec.height, spec.width, channels};
  const bool fits = passport.inputs.size() == 1 && passport.inputs[0].dims == dims &&
                    passport.inputs[0].dtype == (tensor ? RESEMOTE_DTYPE_FLOAT32 : RESEMOTE_DTYPE_UINT8);
  if (!fits) throw Fault{"the input's spec is not what the preprocessing gives"};
}

void check_output(const Passport& passport) {
  const bool named = passport.outputs.size() == 1 &&
                     (passport.outputs[0].name == "logits" || passport.outputs[0].name == "probabilities");
  if (!named) throw Fault{"there is not one output named logits or probabilities"};
  const TensorSpec& output = passport.outputs[0];
  const std::set<std::string> names(passport.labels.begin(), passport.labels.end());
  const std::vector<std::int64_t> dims = {-1, static_cast<std::int64_t>(passport.labels.size())};
  if (names.empty() || names.size() != passport.labels.size() || output.dims != dims ||
      output.dtype != RESEMOTE_DTYPE_FLOAT32) {
    throw Fault{std::to_string(passport.labels.size()) + " labels for an output in which each class has one name"};
  }
}

// What the self-test reads is listed, and so hashed.
void check_files(const Passport& passport) {
  std::set<std::string> paths, golden;
  for (const FileEntry& entry : passport.files) {
    if (!paths.insert(entry.path).second) throw Fault{"file " + in_quotes(entry.path) + " is listed twice"};
    if (entry.role == "golden" && entry.format == "npy") golden.insert(entry.path);
  }
  const GoldenInfo& info = passport.golden;
  for (const std::string& name : {info.inputs, info.outputs}) {
    if (golden.count(name) == 0) {
      throw Fault{"the self-test reads " + in_quotes(name) + ", which is not listed as a golden file"};
    }
  }
  if (info.inputs == info.outputs) throw Fault{"the self-test reads crops and logits from one file"};
  if (info.count < 1 || info.count > kMostGolden || !(info.max_abs_diff >= 0.0)) {
    throw Fault{"the self-test's count or limit makes no sense"};
  }
}

GoldenInfo golden_info(const json& golden, Kind kind) {
  const bool detector = kind == Kind::kDetector;
  GoldenInfo info;
  info.inputs = value<std::string>(golden, detector ? "frames" : "crops");
  info.outputs = value<std::string>(golden, detector ? "outputs" : "logits");
  info.count = integer(golden, "count");
  if (detector) info.repeat = small_integer(golden, "repeat", 1, 64);
  info.max_abs_diff = value<double>(golden, "max_abs_diff");
  return info;
}

Passport passport_from(const json& root, Kind kind) {
  Passport passport;
  passport.kind = kind;
  passport.name = value<std::string>(root, "name");
  if (!is_file_name(passport.name)) throw Fault{"the name " + in_quotes(passport.name) + " cannot name a file"};
  passport.target = value<std::string>(root, "target");
  passport.precision = value<std::string>(root, "precision");
  if (kind == Kind::kDetector) {
    passport.detector = detector_spec(root);
  } else {
    array(root, "labels", 65536);
    passport.labels = value<std::vector<std::string>>(root, "labels");
    passport.preprocessing = preprocess_spec(member(root, "preprocessing"));
  }
  for (const json& spec : array(root, "inputs", 16)) passport.inputs.push_back(tensor_spec(spec));
  for (const json& spec : array(root, "outputs", 16)) passport.outputs.push_back(tensor_spec(spec));
  read_batch(member(root, "batch"), passport);
  for (const json& entry : array(root, "files", 256)) passport.files.push_back(file_entry(entry));
  passport.golden = golden_info(member(root, "golden"), kind);
  if (root.contains("engine")) passport.engine = engine_info(root.at("engine"));
  if (root.contains("quantization")) read_quantization(root.at("quantization"), passport);
  check_batch_sides(passport);
  if (kind == Kind::kDetector) {
    check_detector(passport);
  } else {
    check_input(passport);
    check_output(passport);
  }
  check_files(passport);
  return passport;
}

}  // namespace

Passport parse_passport(const std::string& text, const std::string& origin) {
  try {
    const json root = json::parse(text, nullptr, false);
    if (root.is_discarded()) throw Fault{"not JSON"};
    const std::int64_t schema = integer(root, "schema_version");
    if (schema != kPassportSchema) {
      throw Error(RESEMOTE_STATUS_PASSPORT_VERSION,
                  origin + ": passport schema " + std::to_string(schema) + ", this library reads schema " +
                      std::to_string(kPassportSchema) + "; export the artifact again, or use the version that wrote it");
    }
    // A classifier's passport has no key of this name, as it was the first kind.
    const std::string kind = root.contains("kind") ? value<std::string>(root, "kind") : "classifier";
    if (kind != "classifier" && kind != "detector") {
      throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                  origin + ": an artifact of the kind " + in_quotes(kind) +
                      ", this library runs classifiers and detectors of faces; use the version that wrote it");
    }
    return passport_from(root, kind == "detector" ? Kind::kDetector : Kind::kClassifier);
  } catch (const Fault& fault) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                origin + ": not a valid passport: " + fault.what + "; export the artifact again");
  }
}

}  // namespace resemote_internal
