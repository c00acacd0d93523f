#include "tensorrt_library.h"

#include "engine_fit.h"
#include "error.h"
#include "tensorrt_log.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

std::string headers_version() {
  return std::to_string(NV_TENSORRT_MAJOR) + "." + std::to_string(NV_TENSORRT_MINOR) + "." +
         std::to_string(NV_TENSORRT_PATCH);
}

std::string library_name(const char* stem) { return std::string(stem) + ".so." + std::to_string(NV_TENSORRT_MAJOR); }

// Objects are used through tables of functions that grow within a major version. An older library lacks entries of the
// headers, and another major version has others.
void check_version(std::int32_t number, const std::string& path) {
  const std::string found = tensorrt_version_text(number);
  const std::int32_t headers = NV_TENSORRT_MAJOR * 100 + NV_TENSORRT_MINOR;
  const std::int32_t unit = number < 10000 ? 1000 : 10000;
  const std::int32_t library = number / unit * 100 + number % unit / 100;
  if (library / 100 == NV_TENSORRT_MAJOR && library >= headers) return;
  throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE,
              path + " is TensorRT " + found + ", this library was built with the headers of TensorRT " +
                  headers_version() + "; build it again with the headers of " + found + ", or point to a library of " +
                  headers_version() + " or later of that major version");
}

template <typename Object>
std::unique_ptr<Object> owned(void* created, std::uint64_t place, const char* what) {
  if (created == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED,
                std::string("TensorRT cannot create its ") + what + ": " + TensorRTLog::instance().errors_after(place));
  }
  return std::unique_ptr<Object>(static_cast<Object*>(created));
}

}  // namespace

TensorRTLibrary::TensorRTLibrary(const std::string& chosen)
    : infer_({library_name("libnvinfer")}, chosen, "RESEMOTE_TENSORRT_LIBRARY",
             "install TensorRT " + std::to_string(NV_TENSORRT_MAJOR) +
                 " (it comes with JetPack, and from NVIDIA's package index)") {
  decltype(::getInferLibVersion)* library_version = nullptr;
  infer_.load(library_version, "getInferLibVersion");
  const std::int32_t number = library_version();
  check_version(number, infer_.path());
  version_ = tensorrt_version_text(number);
  // Since TensorRT 10.
  using BuildVersion = std::int32_t();
  BuildVersion* const build = reinterpret_cast<BuildVersion*>(infer_.find_symbol("getInferLibBuildVersion"));
  if (build != nullptr) version_ += "." + std::to_string(build());
}

std::unique_ptr<nvinfer1::IRuntime> TensorRTLibrary::create_runtime() const {
  decltype(::createInferRuntime_INTERNAL)* create = nullptr;
  infer_.load(create, "createInferRuntime_INTERNAL");
  TensorRTLog& log = TensorRTLog::instance();
  const std::uint64_t place = log.place();
  return owned<nvinfer1::IRuntime>(create(static_cast<nvinfer1::ILogger*>(&log), NV_TENSORRT_VERSION), place,
                                   "runtime");
}

std::unique_ptr<nvinfer1::IBuilder> TensorRTLibrary::create_builder() const {
  decltype(::createInferBuilder_INTERNAL)* create = nullptr;
  infer_.load(create, "createInferBuilder_INTERNAL");
  TensorRTLog& log = TensorRTLog::instance();
  const std::uint64_t place = log.place();
  return owned<nvinfer1::IBuilder>(create(static_cast<nvinfer1::ILogger*>(&log), NV_TENSORRT_VERSION), place,
                                   "builder");
}

std::unique_ptr<nvonnxparser::IParser> TensorRTLibrary::create_parser(nvinfer1::INetworkDefinition& network) {
  if (parser_ == nullptr) {
    parser_ = std::make_unique<SharedLibrary>(
        std::vector<std::string>{library_name("libnvonnxparser")}, folder(), "RESEMOTE_NVONNXPARSER_LIBRARY",
        "TensorRT's ONNX parser builds engines; install it (package libnvonnxparsers" +
            std::to_string(NV_TENSORRT_MAJOR) + "), or run an artifact that holds an engine");
  }
  decltype(::createNvOnnxParser_INTERNAL)* create = nullptr;
  parser_->load(create, "createNvOnnxParser_INTERNAL");
  TensorRTLog& log = TensorRTLog::instance();
  const std::uint64_t place = log.place();
  return owned<nvonnxparser::IParser>(
      create(&network, static_cast<nvinfer1::ILogger*>(&log), NV_ONNX_PARSER_VERSION), place, "ONNX parser");
}

// Folder of libnvinfer, where its parser is; empty if the loader found libnvinfer.
std::string TensorRTLibrary::folder() const {
  const std::string::size_type slash = infer_.path().rfind('/');
  return slash == std::string::npos ? "" : infer_.path().substr(0, slash);
}

}  // namespace tensorrt
}  // namespace resemote_internal
