// The inputs and outputs of an engine, and one way to run it, for TensorRT 8.2 (bindings by number) and for later
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
  std::vector<std::int64_t> dims;  // -1 for a dimension that varies
  // Batch sizes that an input takes; if its first dimension is fixed, that size. Unused for outputs.
  std::int64_t batch_min = 0;
  std::int64_t batch_max = 0;
};

std::vector<EngineTensor> engine_tensors(const nvinfer1::ICudaEngine& engine);

// Index of the tensor that a spec describes. Throws Error with RESEMOTE_STATUS_ARTIFACT_MISMATCH if there is none, if
// it has another type or shape, or if it does not take all batch sizes of the passport.
std::size_t match_tensor(const std::vector<EngineTensor>& tensors, const TensorSpec& spec, bool is_input,
                         const Passport& passport, const std::string& origin);

// Whether an engine may have several contexts, each with its own batch size, on one block of scratch memory. Before
// TensorRT 10, an optimization profile serves one context at a time.
extern const bool kManyContexts;

// Bytes of scratch memory that a context needs from outside; zero if contexts allocate their own.
std::size_t scratch_bytes(const nvinfer1::ICudaEngine& engine);

// An execution context and the addresses of its tensors. It must be destroyed before its engine.
class Execution {
 public:
  // `tensors` must outlive it. `addresses`: GPU addresses, one per tensor and in their order. `scratch`:
  // scratch_bytes() of memory. Throws Error: OUT_OF_MEMORY or BACKEND_FAILED.
  Execution(nvinfer1::ICudaEngine& engine, const std::vector<EngineTensor>& tensors, std::vector<void*> addresses,
            void* scratch);

  // Sets the shapes of the following calls. Must not be called while this context is at work.
  void set_batch(std::int64_t batch);
  // Enqueues one inference on the stream. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  void enqueue(cudaStream_t stream);

 private:
  const std::vector<EngineTensor>& tensors_;
  std::vector<void*> addresses_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
