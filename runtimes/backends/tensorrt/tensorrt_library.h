// TensorRTLibrary: libnvinfer and libnvonnxparser, found at run time. All that their objects do is a virtual call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include "shared_library.h"

// Whether the headers are of this version or a later one. What the versions differ in is asked for in engine_io.cpp and
// engine_builder.cpp, and nowhere else.
#define RESEMOTE_TENSORRT_AT_LEAST(major, minor) \
  (NV_TENSORRT_MAJOR > (major) || (NV_TENSORRT_MAJOR == (major) && NV_TENSORRT_MINOR >= (minor)))

namespace resemote_internal {
namespace tensorrt {

// TensorRT's objects are released with `delete` since 8.0, which is what std::unique_ptr does; destroy() is gone in 10.
class TensorRTLibrary {
 public:
  // `chosen` as in EngineRequest. Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE where it is not found, is of
  // another major version than the headers, or older than they are.
  explicit TensorRTLibrary(const std::string& chosen);

  // As far as the library tells: with a build number since TensorRT 10.
  const std::string& version() const { return version_; }

  std::unique_ptr<nvinfer1::IRuntime> create_runtime() const;
  std::unique_ptr<nvinfer1::IBuilder> create_builder() const;
  // Looks for libnvonnxparser when first called. The network outlives the parser.
  std::unique_ptr<nvonnxparser::IParser> create_parser(nvinfer1::INetworkDefinition& network);

 private:
  std::string folder() const;

  SharedLibrary infer_;
  std::unique_ptr<SharedLibrary> parser_;
  std::string version_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
