// Builds an engine from ONNX, on the GPU it is for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <NvInfer.h>

#include "observer.h"
#include "passport.h"
#include "tensorrt_library.h"

namespace resemote_internal {
namespace tensorrt {

// Describes the build settings in words, as a part of the engine's key in the cache. It contains everything, besides
// the file and the passport, that affects the result of the function below.
std::vector<std::string> build_flags(const Passport& passport, int workspace_mib);

// Memory that a layer may use while it runs, in MiB, if the caller does not say: that of the recipe for the smallest board.
constexpr int kDefaultWorkspaceMib = 512;

// Builds an engine for the current GPU. It takes from seconds to many minutes (on a Jetson Nano). The passport
// determines the precision. If the ONNX states types, they are kept (TensorRT 10, and 11, which supports nothing else).
// An fp32 graph that is to compute in fp16 or int8 is built with TensorRT's flags. Throws Error: ARTIFACT_INVALID if
// the file cannot be read, ARTIFACT_MISMATCH if this TensorRT or this GPU cannot do what the passport promises,
// BACKEND_FAILED if the build fails or was stopped. TensorRT 10 and later tells how far it is, and can be stopped.
std::unique_ptr<nvinfer1::IHostMemory> build_engine(TensorRTLibrary& library, const std::string& onnx_path,
                                                    const Passport& passport, int workspace_mib, Progress& progress);

}  // namespace tensorrt
}  // namespace resemote_internal
