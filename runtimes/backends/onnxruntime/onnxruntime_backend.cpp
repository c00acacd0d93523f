#include "onnxruntime_backend.h"

#include <array>
#include <utility>

#include "error.h"
#include "onnxruntime_api.h"

namespace resemote_internal {
namespace {

// Values of ONNX Runtime's enumerations that are used here.
constexpr int kLogFatal = 4;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;
constexpr int kElementFloat = 1;
constexpr int kElementUint8 = 2;

template <typename T>
class Owned {
 public:
  using Release = void (*)(T*);
  Owned() = default;
  Owned(T* object, Release release) : object_(object), release_(release) {}
  Owned(Owned&& other) noexcept : object_(other.object_), release_(other.release_) { other.object_ = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~Owned() {
    if (object_ != nullptr) release_(object_);
  }
  T* get() const { return object_; }

 private:
  T* object_ = nullptr;
  Release release_ = nullptr;
};

// ONNX Runtime has one environment per process, and counts its owners.
Owned<OrtEnvObject> hold_environment(const OnnxRuntimeApi& api) {
  OrtEnvObject* made = nullptr;
  api.check(api.create_env(kLogFatal, "resemote", &made), "starting ONNX Runtime", RESEMOTE_STATUS_BACKEND_UNAVAILABLE);
  Owned<OrtEnvObject> environment(made, api.release_env);
  api.check(api.disable_telemetry_events(made), "switching telemetry off");
  return environment;
}

// The options are those of the Python runtime of this name, so that both compute the same numbers.
Owned<OrtSessionOptionsObject> session_options(const OnnxRuntimeApi& api, const EngineRequest& request) {
  OrtSessionOptionsObject* made = nullptr;
  api.check(api.create_session_options(&made), "session options");
  Owned<OrtSessionOptionsObject> options(made, api.release_session_options);
  const auto set = [&](const char* key, const char* value) {
    api.check(api.add_session_config_entry(made, key, value), key);
  };
  if (request.artifact.passport().precision == "w8") {
    // Weights are converted to floating point once, at load. By default, it would do so in every call.
    set("session.disable_quant_qdq", "1");
  }
  // Its kernels for x86 CPUs without VNNI clip sums of large products. This option selects other kernels there.
  set("session.x64quantprecision", "1");
  // This optimizer converts floating-point biases of integer layers to int32, which changes the logits as much as
  // quantization did.
  set("optimization.disable_specified_optimizers", "WeightBiasQuantization");
  api.check(api.set_session_log_severity_level(made, kLogFatal), "session options");
  api.check(api.set_inter_op_num_threads(made, 1), "session options");
  if (request.threads > 0) api.check(api.set_intra_op_num_threads(made, request.threads), "session options");
  return options;
}

class OnnxRuntimeEngine : public Engine {
 public:
  OnnxRuntimeEngine(const OnnxRuntimeApi& api, const EngineRequest& request)
      : api_(api), environment_(hold_environment(api)) {
    const std::string path = request.artifact.file(request.file);
    const Owned<OrtSessionOptionsObject> options = session_options(api_, request);
    OrtSessionObject* session = nullptr;
    api_.check(api_.create_session(environment_.get(), path.c_str(), options.get(), &session),
               path + " cannot be loaded", RESEMOTE_STATUS_ARTIFACT_INVALID);
    session_ = Owned<OrtSessionObject>(session, api_.release_session);
    OrtMemoryInfoObject* memory = nullptr;
    api_.check(api_.create_cpu_memory_info(kArenaAllocator, kDefaultMemory, &memory), "memory of the CPU");
    memory_ = Owned<OrtMemoryInfoObject>(memory, api_.release_memory_info);
  }

  // Inputs are read from the caller's memory, and outputs are written to it, without a copy.
  void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) override {
    bind(inputs, inputs_);
    bind(outputs, outputs_);
    output_values_.clear();
    for (const Bound& bound : outputs_) output_values_.push_back(bound.value.get());
    input_values_.clear();
    for (const Bound& bound : inputs_) input_values_.push_back(bound.value.get());
    names_.clear();
    for (const TensorView& view : inputs) names_.push_back(view.spec->name.c_str());
    for (const TensorView& view : outputs) names_.push_back(view.spec->name.c_str());
    api_.check(api_.run(session_.get(), nullptr, names_.data(), input_values_.data(), inputs.size(),
                        names_.data() + inputs.size(), outputs.size(), output_values_.data()),
               "inference");
  }

 private:
  // Memory that ONNX Runtime knows as a tensor. It is kept, because a camera passes the same memory every time.
  struct Bound {
    void* data = nullptr;
    std::int64_t batch = 0;
    Owned<OrtValueObject> value;
  };

  void bind(const std::vector<TensorView>& views, std::vector<Bound>& bound) {
    bound.resize(views.size());
    for (std::size_t i = 0; i < views.size(); ++i) {
      const TensorView& view = views[i];
      if (bound[i].data == view.data && bound[i].batch == view.batch) continue;
      bound[i].data = nullptr;
      std::array<std::int64_t, RESEMOTE_MAX_RANK> shape{};
      const std::vector<std::int64_t>& dims = view.spec->dims;
      for (std::size_t d = 0; d < dims.size(); ++d) shape[d] = dims[d] < 0 ? view.batch : dims[d];
      const int type = view.spec->dtype == RESEMOTE_DTYPE_FLOAT32 ? kElementFloat : kElementUint8;
      OrtValueObject* value = nullptr;
      api_.check(api_.create_tensor_with_data(memory_.get(), view.data, view.bytes(), shape.data(), dims.size(), type,
                                              &value),
                 "tensor '" + view.spec->name + "'");
      bound[i].value = Owned<OrtValueObject>(value, api_.release_value);
      bound[i].data = view.data;
      bound[i].batch = view.batch;
    }
  }

  const OnnxRuntimeApi& api_;
  Owned<OrtEnvObject> environment_;
  Owned<OrtSessionObject> session_;
  Owned<OrtMemoryInfoObject> memory_;
  std::vector<Bound> inputs_;
  std::vector<Bound> outputs_;
  std::vector<const OrtValueObject*> input_values_;
  std::vector<OrtValueObject*> output_values_;
  std::vector<const char*> names_;
};

class OnnxRuntimeBackend : public Backend {
 public:
  const char* name() const override { return "onnxruntime"; }
  std::vector<std::string> formats() const override { return {"onnx"}; }

  BackendInfo probe(const std::string& library) const override {
    BackendInfo info;
    try {
      info.version = onnxruntime_api(library).version();
      info.devices = {"cpu"};
    } catch (const Error& error) {
      info.reason = error.what();
    }
    info.available = info.reason.empty();
    return info;
  }

  void check(const EngineRequest& request) const override {
    if (request.cache.folder.empty()) return;
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                "backend onnxruntime: builds nothing that could be kept in " + request.cache.folder +
                    "; leave cache_dir out, which gives every backend the folder that is right for it");
  }

  std::unique_ptr<Engine> create(const EngineRequest& request) const override {
    return std::unique_ptr<Engine>(new OnnxRuntimeEngine(onnxruntime_api(request.library), request));
  }
};

}  // namespace

const Backend& onnxruntime_backend() {
  static const OnnxRuntimeBackend backend;
  return backend;
}

}  // namespace resemote_internal
