// TensorRTLibrary: libnvinfer and libnvonnxparser, found at run time. Their objects only have virtual functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include "shared_library.h"

// Whether the headers have this version or a later one. Only engine_io.cpp and engine_builder.cpp use it for the
// differences between versions.
#define RESEMOTE_TENSORRT_AT_LEAST(major, minor) \
  (NV_TENSORRT_MAJOR > (major) || (NV_TENSORRT_MAJOR == (major) && NV_TENSORRT_MINOR >= (minor)))

namespace resemote_internal {
namespace tensorrt {

// TensorRT's objects are released with `delete` since 8.0, as std::unique_ptr does. destroy() does not exist in 10.
class TensorRTLibrary {
 public:
  // `chosen`: the library in EngineRequest. Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE if it is not found,
  // has another major version than the headers, or is older than they are.
  explicit TensorRTLibrary(const std::string& chosen);

  // Version as the library states it; with a build number since TensorRT 10.
  const std::string& version() const { return version_; }

  std::unique_ptr<nvinfer1::IRuntime> create_runtime() const;
  std::unique_ptr<nvinfer1::IBuilder> create_builder() const;
  // Looks for libnvonnxparser when it is first called. The network must outlive the parser.
  std::unique_ptr<nvonnxparser::IParser> create_parser(nvinfer1::INetworkDefinition& network);

 private:
  std::string folder() const;

  SharedLibrary infer_;
  std::unique_ptr<SharedLibrary> parser_;
  std::string version_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
