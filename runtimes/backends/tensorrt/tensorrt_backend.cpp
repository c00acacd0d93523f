#include "tensorrt_backend.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "build_memory.h"
#include "cudart.h"
#include "engine_builder.h"
#include "engine_cache.h"
#include "engine_fit.h"
#include "error.h"
#include "file.h"
#include "tensorrt_engine.h"
#include "tensorrt_library.h"
#include "tensorrt_log.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

constexpr char kEngineFormat[] = "tensorrt-engine";
constexpr char kOnnxFormat[] = "onnx";
constexpr char kDevicePrefix[] = "cuda:";
constexpr std::size_t kDevicePrefixSize = sizeof kDevicePrefix - 1;
constexpr std::size_t kMostDeviceDigits = 4;

std::string no_gpu(const std::string& reason) {
  return "no NVIDIA GPU with a working driver was found (" + reason +
         "); use a machine with one, and look at nvidia-smi, or tegrastats on a Jetson, there";
}

// N of "cuda:N".
int gpu_index(const std::string& device, const Cudart& cuda) {
  std::string reason;
  const int count = cuda.gpu_count(reason);
  if (count == 0) throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE, no_gpu(reason));
  const std::string digits =
      device.compare(0, kDevicePrefixSize, kDevicePrefix) == 0 ? device.substr(kDevicePrefixSize) : "";
  const bool is_number = !digits.empty() && digits.size() <= kMostDeviceDigits &&
                         digits.find_first_not_of("0123456789") == std::string::npos;
  const int index = is_number ? std::stoi(digits) : count;
  if (index < count) return index;
  throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE,
              "backend tensorrt has no device '" + device + "'; here it runs on cuda:0" +
                  (count > 1 ? " to cuda:" + std::to_string(count - 1) : ""));
}

std::unique_ptr<nvinfer1::ICudaEngine> deserialize(nvinfer1::IRuntime& runtime, const void* plan, std::size_t size,
                                                   std::string& reason) {
  const std::uint64_t place = TensorRTLog::instance().place();
  std::unique_ptr<nvinfer1::ICudaEngine> engine(runtime.deserializeCudaEngine(plan, size));
  if (engine == nullptr) reason = TensorRTLog::instance().errors_after(place);
  return engine;
}

// Reads the engine in the artifact.
std::unique_ptr<nvinfer1::ICudaEngine> load_engine(nvinfer1::IRuntime& runtime, const TensorRTLibrary& library,
                                                   const EngineRequest& request) {
  const std::string path = request.artifact.file(request.file);
  const std::string plan = read_file(path);
  std::string reason;
  std::unique_ptr<nvinfer1::ICudaEngine> engine = deserialize(runtime, plan.data(), plan.size(), reason);
  if (engine == nullptr) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                path + ": TensorRT " + library.version() + " refuses the engine: " + reason +
                    "; export the artifact again on this machine");
  }
  return engine;
}

// Makes an engine from the artifact's ONNX: takes it from the cache, or builds it. `origin`: which of these.
std::unique_ptr<nvinfer1::ICudaEngine> build_or_recall(nvinfer1::IRuntime& runtime, TensorRTLibrary& library,
                                                       const Cudart& cuda, int index, const EngineRequest& request,
                                                       std::string& origin) {
  const Passport& passport = request.artifact.passport();
  const GpuInfo gpu = cuda.gpu(index);
  const int workspace_mib = request.workspace_mib > 0 ? request.workspace_mib : kDefaultWorkspaceMib;
  const EngineCache cache(cache_folder(request.cache));
  const EngineKey key{request.file.sha256,    library.version(), cuda.version(),
                      gpu.compute_capability, gpu.name,          build_flags(passport, workspace_mib)};
  const std::string path = request.artifact.file(request.file);
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
  const auto load = [&](const Plan& plan) {
    std::string reason;
    engine = deserialize(runtime, plan.data, plan.size, reason);
    return reason;
  };
  const auto build = [&](Progress& progress) {
    check_build_memory(free_memory(), static_cast<std::int64_t>(request.file.size_bytes), workspace_mib);
    cuda.use_gpu(index);  // this may be another thread
    const std::shared_ptr<nvinfer1::IHostMemory> memory =
        build_engine(library, path, passport, workspace_mib, progress);
    return Plan{memory->data(), memory->size(), memory};
  };
  origin = cache.obtain(key, load, build, request.observer);
  return engine;
}

class TensorRTBackend final : public Backend {
 public:
  const char* name() const override { return "tensorrt"; }

  std::vector<std::string> formats() const override { return {kEngineFormat, kOnnxFormat}; }

  BackendInfo probe(const std::string& library) const override {
    BackendInfo info;
    try {
      info.version = TensorRTLibrary(library).version();
      std::string reason;
      const int count = Cudart().gpu_count(reason);
      for (int index = 0; index < count; ++index) info.devices.push_back(kDevicePrefix + std::to_string(index));
      info.available = count > 0;
      if (!info.available) info.reason = no_gpu(reason);
    } catch (const Error& error) {
      info.reason = error.what();
    }
    return info;
  }

  void check(const EngineRequest& request) const override {
    if (request.file.format != kEngineFormat) return;
    const Cudart cuda;
    check_engine_fits(request.artifact.passport(), request.artifact.file(request.file),
                      TensorRTLibrary(request.library).version(),
                      cuda.gpu(gpu_index(request.device, cuda)).compute_capability);
  }

  std::unique_ptr<Engine> create(const EngineRequest& request) const override {
    TensorRTLibrary library(request.library);
    std::unique_ptr<Cudart> cuda(new Cudart);
    const int index = gpu_index(request.device, *cuda);
    cuda->use_gpu(index);  // TensorRT uses the thread's current GPU
    std::unique_ptr<nvinfer1::IRuntime> runtime = library.create_runtime();
    std::string origin = "loaded";
    std::unique_ptr<nvinfer1::ICudaEngine> engine =
        request.file.format == kEngineFormat ? load_engine(*runtime, library, request)
                                             : build_or_recall(*runtime, library, *cuda, index, request, origin);
    auto opened = std::make_unique<TensorRTEngine>(std::move(cuda), index, request.artifact.passport(),
                                                   std::move(runtime), std::move(engine),
                                                   request.artifact.file(request.file));
    opened->set_origin(origin);
    return opened;
  }
};

}  // namespace
}  // namespace tensorrt

const Backend& tensorrt_backend() {
  static const tensorrt::TensorRTBackend backend;
  return backend;
}

}  // namespace resemote_internal
