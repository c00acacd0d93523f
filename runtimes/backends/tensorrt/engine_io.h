// What an engine takes and gives, and one way to run it, the same for TensorRT 8.2 (bindings by number) and for later
// versions (tensors by name).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include "passport.h"
#include "tensor.h"

namespace resemote_internal {
namespace tensorrt {

// An input or output of an engine, under its first optimization profile.
struct EngineTensor {
  std::string name;
  bool is_input = false;
  nvinfer1::DataType dtype = nvinfer1::DataType::kFLOAT;
  std::vector<std::int64_t> dims;  // -1 where it varies
  // Batch sizes it takes; of an input with a fixed first dimension, that one. Unused for outputs.
  std::int64_t batch_min = 0;
  std::int64_t batch_max = 0;
};

std::vector<EngineTensor> engine_tensors(const nvinfer1::ICudaEngine& engine);

// The tensor that a spec describes, by its place among the tensors. Throws Error with RESEMOTE_STATUS_ARTIFACT_MISMATCH
// where there is none, or one of another type or shape, or one that does not take all the passport's batch sizes.
std::size_t match_tensor(const std::vector<EngineTensor>& tensors, const TensorSpec& spec, bool is_input,
                         const Passport& passport, const std::string& origin);

// Whether contexts of one engine may be many, each with a batch size of its own, on one block of scratch memory. Before
// TensorRT 10 an optimization profile serves one context at a time.
extern const bool kManyContexts;

// Bytes of scratch memory a context needs from outside; zero where contexts bring their own.
std::size_t scratch_bytes(const nvinfer1::ICudaEngine& engine);

// An execution context and the addresses of its tensors. Destroyed before its engine.
class Execution {
 public:
  // `tensors` outlive it. `addresses`: on the GPU, one per tensor and in their order. `scratch`: of scratch_bytes().
  // Throws Error: OUT_OF_MEMORY or BACKEND_FAILED.
  Execution(nvinfer1::ICudaEngine& engine, const std::vector<EngineTensor>& tensors, std::vector<void*> addresses,
            void* scratch);

  // Shapes of the calls to come. Not while work of this context is under way.
  void set_batch(std::int64_t batch);
  // Puts one inference on the stream. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  void enqueue(cudaStream_t stream);

 private:
  const std::vector<EngineTensor>& tensors_;
  std::vector<void*> addresses_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
