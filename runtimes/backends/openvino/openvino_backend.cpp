#include "openvino_backend.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <functional>

#include "cpu_features.h"
#include "error.h"
#include "file.h"
#include "openvino_api.h"

namespace resemote_internal {
namespace {

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

std::string in_case(std::string text, int (*change)(int)) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [change](unsigned char c) { return static_cast<char>(change(c)); });
  return text;
}

Owned<ov_core_t> make_core(const OpenVINOApi& api) {
  ov_core_t* core = nullptr;
  api.check(api.core_create(&core), "starting OpenVINO", RESEMOTE_STATUS_BACKEND_UNAVAILABLE);
  return Owned<ov_core_t>(core, api.core_free);
}

std::vector<std::string> list_devices(const OpenVINOApi& api, const ov_core_t* core) {
  ov_available_devices_t devices;
  api.check(api.core_get_available_devices(core, &devices), "listing devices", RESEMOTE_STATUS_DEVICE_UNAVAILABLE);
  std::vector<std::string> names;
  for (size_t i = 0; i < devices.size; ++i) names.push_back(in_case(devices.devices[i], std::tolower));
  api.available_devices_free(&devices);
  // "gpu.1" is the second GPU. "cpu" stays first, because every machine has it.
  std::sort(names.begin(), names.end());
  return names;
}

// OpenVINO's kernels for x86 CPUs without VNNI clip sums of large products without an error.
void refuse_saturation(const EngineRequest& request) {
  const Passport& passport = request.artifact.passport();
  if (!passport.quantized_activations || request.device != "cpu") return;
  if (passport.weight_levels > kSafeWeightLevels && int8_sums_saturate()) {
    throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE,
                "backend openvino: this CPU has no VNNI, and OpenVINO's int8 sums of " + request.artifact.folder() +
                    " would overflow; export with --recipe cpu-no-vnni-openvino-int8, or run the ONNX of "
                    "cpu-onnxruntime-int8 in onnxruntime");
  }
}

// The weights of an IR, as the passport lists them. Without this, OpenVINO would take any file that lies beside the IR.
// Empty for ONNX.
std::string weights_of(const EngineRequest& request) {
  if (request.file.format != "openvino-ir") return "";
  for (const FileEntry& entry : request.artifact.passport().files) {
    if (entry.role == "weights" && entry.format == "openvino-weights") return request.artifact.file(entry);
  }
  throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
              request.artifact.folder() + ": the IR has no weights in the passport; export the artifact again");
}

// A bound tensor: the caller's memory that a request reads. It is remembered, so that the same memory is bound once.
struct Binding {
  const void* data = nullptr;
  std::int64_t batch = 0;
};

class OpenVINOEngine : public Engine {
 public:
  OpenVINOEngine(const OpenVINOApi& api, const EngineRequest& request) : api_(api) {
    core_ = make_core(api_);
    const std::string path = request.artifact.file(request.file);
    ov_model_t* model = nullptr;
    const std::string weights = weights_of(request);
    api_.check(api_.core_read_model(core_.get(), path.c_str(), weights.empty() ? nullptr : weights.c_str(), &model), path + " cannot be loaded",
               RESEMOTE_STATUS_ARTIFACT_INVALID);
    const Owned<ov_model_t> owned_model(model, api_.model_free);
    const std::string cache = usable_cache(request);
    if (!cache.empty()) {
      api_.check(api_.core_set_property(core_.get(), in_case(request.device, std::toupper).c_str(), "CACHE_DIR",
                                        cache.c_str()),
                 "setting the cache folder " + cache);
      origin_ = "loaded, with the cache in " + cache;
    }
    compile(request, model, path);
    ov_infer_request_t* infer_request = nullptr;
    api_.check(api_.compiled_model_create_infer_request(compiled_.get(), &infer_request), path);
    request_ = Owned<ov_infer_request_t>(infer_request, api_.infer_request_free);
  }

  std::string origin() const override { return origin_; }

  void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) override {
    bindings_.resize(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) bind(inputs[i], bindings_[i]);
    api_.check(api_.infer_request_infer(request_.get()), "inference");
    for (const TensorView& output : outputs) copy_out(output);
  }

 private:
  // The folder that the caller has named, if it can be written to. A cache is no reason to fail.
  std::string usable_cache(const EngineRequest& request) {
    if (request.cache.folder.empty()) return "";
    try {
      create_folder(request.cache.folder);
      return request.cache.folder;
    } catch (const Error& error) {
      request.observer.warn(std::string("nothing is kept for the next start: ") + error.what());
      origin_ = std::string("loaded; not kept: ") + error.what();
      return "";
    }
  }

  void compile(const EngineRequest& request, const ov_model_t* model, const std::string& path) {
    const Passport& passport = request.artifact.passport();
    const std::string device = in_case(request.device, std::toupper);
    const std::string threads = std::to_string(request.threads);
    // By default, OpenVINO computes in bf16 on CPUs that support it, and in f16 on GPUs. An fp32 artifact promises more
    // digits. So does an fp16 artifact on a CPU, which has no f16 arithmetic. (An NPU has only f16.)
    const bool cpu = request.device == "cpu";
    const bool exact = cpu || (passport.precision == "fp32" && request.device.compare(0, 3, "npu") != 0);
    const bool weights_only = cpu && passport.precision == "w8";
    const bool limited = cpu && request.threads > 0;
    // The C API takes properties as variadic pairs, so the list is written out. An empty hint repeats the first pair.
    ov_compiled_model_t* compiled = nullptr;
    const char* hint[2] = {"PERFORMANCE_HINT", "LATENCY"};
    const auto pair = [&hint](bool wanted, const char* name, const char* text) {
      return wanted ? std::array<const char*, 2>{{name, text}} : std::array<const char*, 2>{{hint[0], hint[1]}};
    };
    const auto precision = pair(exact, "INFERENCE_PRECISION_HINT", "f32");
    // By default, it also rounds activations to eight bits. w8 promises that only weights are rounded.
    const auto group = pair(weights_only, "DYNAMIC_QUANTIZATION_GROUP_SIZE", "0");
    const auto count = pair(limited, "INFERENCE_NUM_THREADS", threads.c_str());
    api_.check(api_.core_compile_model(core_.get(), model, device.c_str(), 8, &compiled, hint[0], hint[1], precision[0],
                                       precision[1], group[0], group[1], count[0], count[1]),
               path + " cannot be loaded on " + request.device, RESEMOTE_STATUS_ARTIFACT_INVALID);
    compiled_ = Owned<ov_compiled_model_t>(compiled, api_.compiled_model_free);
  }

  void bind(const TensorView& input, Binding& bound) {
    if (bound.data == input.data && bound.batch == input.batch) return;
    bound = Binding();
    const std::vector<std::int64_t>& wanted = input.spec->dims;
    std::array<std::int64_t, RESEMOTE_MAX_RANK> dims{};
    for (std::size_t i = 0; i < wanted.size(); ++i) dims[i] = wanted[i] < 0 ? input.batch : wanted[i];
    const ov_shape_t shape = {static_cast<int64_t>(wanted.size()), dims.data()};
    const ov_element_type_e type = input.spec->dtype == RESEMOTE_DTYPE_FLOAT32 ? ov_element_type_e::F32 : ov_element_type_e::U8;
    ov_tensor_t* tensor = nullptr;
    api_.check(api_.tensor_create_from_host_ptr(type, shape, input.data, &tensor), "input '" + input.spec->name + "'");
    const Owned<ov_tensor_t> owned(tensor, api_.tensor_free);
    api_.check(api_.infer_request_set_tensor(request_.get(), input.spec->name.c_str(), tensor),
               "input '" + input.spec->name + "'");
    bound = {input.data, input.batch};
  }

  void copy_out(const TensorView& output) {
    ov_tensor_t* tensor = nullptr;
    api_.check(api_.infer_request_get_tensor(request_.get(), output.spec->name.c_str(), &tensor), "reading the output");
    void* data = nullptr;
    size_t size = 0;
    const ov_status_e sized = api_.tensor_get_byte_size(tensor, &size);
    const ov_status_e pointed = api_.tensor_data(tensor, &data);
    const bool fits = sized == ov_status_e::OK && pointed == ov_status_e::OK && size == output.bytes();
    if (fits) std::memcpy(output.data, data, size);
    api_.tensor_free(tensor);
    if (!fits) {
      throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "output '" + output.spec->name + "' has " + std::to_string(size) +
                                                      " bytes, the passport says " + std::to_string(output.bytes()) +
                                                      "; export the artifact again");
    }
  }

  const OpenVINOApi& api_;
  Owned<ov_core_t> core_;
  Owned<ov_compiled_model_t> compiled_;
  Owned<ov_infer_request_t> request_;
  std::vector<Binding> bindings_;
  std::string origin_ = "loaded";
};

class OpenVINOBackend : public Backend {
 public:
  const char* name() const override { return "openvino"; }
  std::vector<std::string> formats() const override { return {"openvino-ir", "onnx"}; }

  BackendInfo probe(const std::string& library) const override {
    BackendInfo info;
    try {
      const OpenVINOApi& api = openvino_api(library);
      ov_version_t version;
      api.check(api.get_openvino_version(&version), "asking for the version", RESEMOTE_STATUS_BACKEND_UNAVAILABLE);
      info.version = version.buildNumber;
      info.version.resize(std::min(info.version.size(), info.version.find('-')));
      api.version_free(&version);
      info.devices = list_devices(api, make_core(api).get());
      if (info.devices.empty()) info.reason = "no device found; reinstall OpenVINO";
    } catch (const Error& error) {
      info.reason = error.what();
    }
    info.available = info.reason.empty();
    return info;
  }

  std::unique_ptr<Engine> create(const EngineRequest& request) const override {
    refuse_saturation(request);
    return std::unique_ptr<Engine>(new OpenVINOEngine(openvino_api(request.library), request));
  }
};

}  // namespace

const Backend& openvino_backend() {
  static const OpenVINOBackend backend;
  return backend;
}

}  // namespace resemote_internal
