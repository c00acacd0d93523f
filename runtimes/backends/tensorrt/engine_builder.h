// Builds an engine from ONNX, on the GPU it is for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <NvInfer.h>

#include "passport.h"
#include "tensorrt_library.h"

namespace resemote_internal {
namespace tensorrt {

// How an engine is built, in words: a part of its key in the cache. Everything that changes what the function below
// makes of a file and a passport stands here.
std::vector<std::string> build_flags(const Passport& passport);

// Takes from seconds to many minutes (a Jetson Nano). Precision follows the passport: where types stand in the ONNX
// they are kept (TensorRT 10, and 11, which knows nothing else); an fp32 graph that is to compute in fp16 or int8 is
// built with TensorRT's flags. The current GPU counts.
// Throws Error: ARTIFACT_INVALID where the file cannot be read, ARTIFACT_MISMATCH where this TensorRT or this GPU
// cannot do what the passport promises, BACKEND_FAILED where the build fails.
std::unique_ptr<nvinfer1::IHostMemory> build_engine(TensorRTLibrary& library, const std::string& onnx_path,
                                                    const Passport& passport);

}  // namespace tensorrt
}  // namespace resemote_internal
