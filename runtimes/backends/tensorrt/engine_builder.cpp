#include "engine_builder.h"

#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>

#include "error.h"
#include "file.h"
#include "tensorrt_log.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

using nvinfer1::BuilderFlag;
using nvinfer1::DataType;
using nvinfer1::Dims;
using nvinfer1::IBuilder;
using nvinfer1::IBuilderConfig;
using nvinfer1::INetworkDefinition;
using nvinfer1::NetworkDefinitionCreationFlags;
using nvinfer1::OptProfileSelector;

// Raise it after any change below that makes another engine from the same file.
constexpr int kRevision = 1;

[[noreturn]] void refuse(const std::string& origin, const std::string& what) {
  throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH, origin + ": " + what);
}

template <typename Object>
Object& there(Object* object, const char* what, std::uint64_t place) {
  if (object == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED,
                std::string("TensorRT cannot create ") + what + ": " + TensorRTLog::instance().errors_after(place));
  }
  return *object;
}

// ---- from ONNX to a network -----------------------------------------------------------------------------------------

bool half_in_graph(const INetworkDefinition& network) {
  for (std::int32_t index = 0; index < network.getNbLayers(); ++index) {
    const nvinfer1::ILayer* const layer = network.getLayer(index);
    for (std::int32_t output = 0; output < layer->getNbOutputs(); ++output) {
      const nvinfer1::ITensor* const tensor = layer->getOutput(output);
      if (tensor != nullptr && tensor->getType() == DataType::kHALF) return true;
    }
  }
  return false;
}

// A network, and the parser, which holds its weights and must be released first.
struct Parsed {
  std::unique_ptr<INetworkDefinition> network;
  std::unique_ptr<nvonnxparser::IParser> parser;
  bool has_half = false;     // the graph contains fp16
  bool keeps_types = false;  // its tensors keep the types of the ONNX, whatever the flags say
};

std::string parser_errors(const nvonnxparser::IParser& parser, std::uint64_t place) {
  std::string text;
  for (int index = 0; index < parser.getNbErrors(); ++index) {
    const nvonnxparser::IParserError& error = *parser.getError(index);
    text += (text.empty() ? "" : "; ") + std::string(error.desc());
    if (error.node() >= 0) text += " (node " + std::to_string(error.node()) + ")";
  }
  return text.empty() ? TensorRTLog::instance().errors_after(place) : text;
}

Parsed parse(TensorRTLibrary& library, IBuilder& builder, NetworkDefinitionCreationFlags flags, const std::string& onnx,
             const std::string& origin) {
  const std::uint64_t place = TensorRTLog::instance().place();
  Parsed parsed;
  parsed.network.reset(&there(builder.createNetworkV2(flags), "a network", place));
  parsed.parser = library.create_parser(*parsed.network);
  // Parsed from memory, because parsing from a path prints messages in some versions.
  if (!parsed.parser->parse(onnx.data(), onnx.size())) {
    refuse(origin, "TensorRT " + library.version() + " cannot parse the ONNX: " + parser_errors(*parsed.parser, place) +
                       "; export with a recipe for this device");
  }
  parsed.has_half = half_in_graph(*parsed.network);
  return parsed;
}

// ---- precision ------------------------------------------------------------------------------------------------------

#if RESEMOTE_TENSORRT_AT_LEAST(11, 0)

// Networks keep the types of the ONNX; there are no flags.
Parsed parse_for(TensorRTLibrary& library, IBuilder& builder, const std::string& onnx, const Passport& passport,
                 const std::string& origin) {
  Parsed parsed = parse(library, builder, 0, onnx, origin);
  parsed.keeps_types = true;
  if (passport.precision == "fp16" && !parsed.has_half) {
    refuse(origin, "the passport says fp16, the graph is fp32, and TensorRT " + library.version() +
                       " takes precision from the graph alone; export with tensorrt.typing = \"strong\"");
  }
  return parsed;
}

void set_precision(IBuilder&, IBuilderConfig&, const Parsed&, const Passport&, const std::string&) {}

#else

bool computes_in_half(const Passport& passport) { return passport.precision == "fp16" || passport.precision == "int8"; }
bool stores_int8(const Passport& passport) { return passport.precision == "int8" || passport.precision == "w8"; }

#if RESEMOTE_TENSORRT_AT_LEAST(10, 0)

// Uses the types of the ONNX if it states them, and flags if an fp32 graph is to compute in lower precision.
Parsed parse_for(TensorRTLibrary& library, IBuilder& builder, const std::string& onnx, const Passport& passport,
                 const std::string& origin) {
  constexpr NetworkDefinitionCreationFlags kTyped =
      1U << static_cast<std::uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
  Parsed parsed = parse(library, builder, kTyped, onnx, origin);
  parsed.keeps_types = parsed.has_half || !computes_in_half(passport);
  return parsed.keeps_types ? std::move(parsed) : parse(library, builder, 0, onnx, origin);
}

#else

Parsed parse_for(TensorRTLibrary& library, IBuilder& builder, const std::string& onnx, const Passport&,
                 const std::string& origin) {
  constexpr NetworkDefinitionCreationFlags kExplicitBatch =
      1U << static_cast<std::uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
  return parse(library, builder, kExplicitBatch, onnx, origin);
}

#endif

// Deprecated since 10.12 in favour of types in the ONNX, which an fp32 graph does not have.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void set_precision(IBuilder& builder, IBuilderConfig& config, const Parsed& parsed, const Passport& passport,
                   const std::string& origin) {
  if (parsed.keeps_types) return;
  if (passport.precision == "int8" && !builder.platformHasFastInt8()) {
    refuse(origin, "this GPU has no int8 arithmetic; export --precision fp16");
  }
  if (passport.precision == "fp16" && !builder.platformHasFastFp16()) {
    refuse(origin, "this GPU has no fp16 arithmetic worth having; export --precision fp32");
  }
  if (computes_in_half(passport) || parsed.has_half) config.setFlag(BuilderFlag::kFP16);
  if (stores_int8(passport)) config.setFlag(BuilderFlag::kINT8);
}

#pragma GCC diagnostic pop

#endif

// ---- batch sizes ----------------------------------------------------------------------------------------------------

Dims with_batch(Dims dims, std::int64_t batch) {
  dims.d[0] = static_cast<std::remove_reference<decltype(dims.d[0])>::type>(batch);
  return dims;
}

bool only_batch_varies(const Dims& dims) {
  for (std::int32_t axis = 1; axis < dims.nbDims; ++axis) {
    if (dims.d[axis] < 0) return false;
  }
  return true;
}

void set_batch_sizes(IBuilder& builder, IBuilderConfig& config, const INetworkDefinition& network,
                     const Passport& passport, const std::string& origin) {
  const std::uint64_t place = TensorRTLog::instance().place();
  nvinfer1::IOptimizationProfile& profile =
      there(builder.createOptimizationProfile(), "an optimization profile", place);
  bool varies = false;
  for (std::int32_t index = 0; index < network.getNbInputs(); ++index) {
    const nvinfer1::ITensor& input = *network.getInput(index);
    const Dims dims = input.getDimensions();
    if (!only_batch_varies(dims)) {
      refuse(origin, std::string("input '") + input.getName() + "' varies in more than its batch; export it again");
    }
    if (dims.nbDims < 1 || dims.d[0] >= 0) continue;
    varies = true;
    const bool taken =
        profile.setDimensions(input.getName(), OptProfileSelector::kMIN, with_batch(dims, passport.batch_min)) &&
        profile.setDimensions(input.getName(), OptProfileSelector::kOPT, with_batch(dims, passport.batch_opt)) &&
        profile.setDimensions(input.getName(), OptProfileSelector::kMAX, with_batch(dims, passport.batch_max));
    if (!taken) {
      refuse(origin, "TensorRT refuses batches of " + std::to_string(passport.batch_min) + ", " +
                         std::to_string(passport.batch_opt) + " and " + std::to_string(passport.batch_max) + ": " +
                         TensorRTLog::instance().errors_after(place));
    }
  }
  if (varies && config.addOptimizationProfile(&profile) < 0) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED,
                "TensorRT refuses the batch sizes: " + TensorRTLog::instance().errors_after(place));
  }
}

void set_workspace(IBuilderConfig& config, int workspace_mib) {
  const std::size_t bytes = static_cast<std::size_t>(workspace_mib) << 20;
#if RESEMOTE_TENSORRT_AT_LEAST(8, 4)
  config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, bytes);
#else
  config.setMaxWorkspaceSize(bytes);
#endif
}

void refuse_what_cannot_be(const Passport& passport, const std::string& origin) {
  if (passport.batch_max < 1) {
    refuse(origin, "an engine needs a largest batch, and the passport names none; export it with --target tensorrt, or "
                   "set batch.max in its recipe");
  }
#if !RESEMOTE_TENSORRT_AT_LEAST(8, 5)
  for (const TensorSpec& input : passport.inputs) {
    if (input.dtype == RESEMOTE_DTYPE_UINT8) {
      refuse(origin, "input '" + input.name +
                         "' is uint8, which TensorRT before 8.5 does not know; export with --input tensor");
    }
  }
#endif
}

// ---- progress -------------------------------------------------------------------------------------------------------

#if RESEMOTE_TENSORRT_AT_LEAST(10, 0)

// TensorRT's phases nest. The steps of the outermost one are counted.
class Monitor final : public nvinfer1::IProgressMonitor {
 public:
  explicit Monitor(Progress& progress) : progress_(progress) {}

  void phaseStart(char const* phase, char const* parent, int32_t steps) noexcept override {
    if (parent != nullptr || steps <= 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    outermost_ = phase;
    steps_ = steps;
    progress_.fraction = 0.0;
  }

  bool stepComplete(char const* phase, int32_t step) noexcept override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (steps_ > 0 && outermost_ == phase) progress_.fraction = static_cast<double>(step + 1) / steps_;
    return !progress_.cancelled;
  }

  void phaseFinish(char const*) noexcept override {}

 private:
  Progress& progress_;
  std::mutex mutex_;
  std::string outermost_;
  int32_t steps_ = 0;
};

void observe(IBuilderConfig& config, Monitor& monitor) { config.setProgressMonitor(&monitor); }

#else

struct Monitor {
  explicit Monitor(Progress&) {}
};

void observe(IBuilderConfig&, Monitor&) {}

#endif

}  // namespace

std::vector<std::string> build_flags(const Passport& passport, int workspace_mib) {
  return {
      "revision=" + std::to_string(kRevision),
      "precision=" + passport.precision,
      "batch_min=" + std::to_string(passport.batch_min),
      "batch_opt=" + std::to_string(passport.batch_opt),
      "batch_max=" + std::to_string(passport.batch_max),
      "workspace_mib=" + std::to_string(workspace_mib),
  };
}

std::unique_ptr<nvinfer1::IHostMemory> build_engine(TensorRTLibrary& library, const std::string& onnx_path,
                                                    const Passport& passport, int workspace_mib, Progress& progress) {
  refuse_what_cannot_be(passport, onnx_path);
  const std::string onnx = read_file(onnx_path);
  const std::uint64_t place = TensorRTLog::instance().place();
  const std::unique_ptr<IBuilder> builder = library.create_builder();
  const Parsed parsed = parse_for(library, *builder, onnx, passport, onnx_path);
  const std::unique_ptr<IBuilderConfig> config(&there(builder->createBuilderConfig(), "a configuration", place));
  set_workspace(*config, workspace_mib);
  Monitor monitor(progress);
  observe(*config, monitor);
  set_batch_sizes(*builder, *config, *parsed.network, passport, onnx_path);
  // fp32 means fp32; TF32 has only ten bits of mantissa.
  if (passport.precision == "fp32") config->clearFlag(BuilderFlag::kTF32);
  set_precision(*builder, *config, parsed, passport, onnx_path);
  std::unique_ptr<nvinfer1::IHostMemory> plan(builder->buildSerializedNetwork(*parsed.network, *config));
  if (plan == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED,
                onnx_path + ": TensorRT " + library.version() + " cannot build the engine: " +
                    TensorRTLog::instance().errors_after(place) +
                    "; if memory is short, end other programs or add swap space");
  }
  return plan;
}

}  // namespace tensorrt
}  // namespace resemote_internal
