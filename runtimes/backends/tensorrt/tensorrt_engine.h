// TensorRTEngine: a plan that was loaded on a GPU, with all memory that a call needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <NvInfer.h>

#include "artifact.h"
#include "backend.h"
#include "cudart.h"
#include "engine_io.h"
#include "tensorrt_library.h"

namespace resemote_internal {
namespace tensorrt {

// Each batch size has one CUDA graph with the copies to the GPU, the inference and the copies back. The second call
// with that size records it. The first call runs step by step, which TensorRT requires before a recording. Later calls
// launch the graph. With TensorRT 10.1 and later, the batch sizes used last keep their graphs. Before, only the last
// one does, because a profile serves one context at a time.
//
// If a graph cannot be recorded, every call runs step by step; graphs() says so, and why.
class TensorRTEngine final : public Engine {
 public:
  // `origin` is shown in messages. Throws Error: ARTIFACT_MISMATCH if the engine is not the one in the passport,
  // OUT_OF_MEMORY, BACKEND_FAILED.
  TensorRTEngine(std::unique_ptr<Cudart> cuda, int gpu, const Passport& passport,
                 std::unique_ptr<nvinfer1::IRuntime> runtime, std::unique_ptr<nvinfer1::ICudaEngine> engine,
                 const std::string& origin);
  ~TensorRTEngine() override;

  void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) override;

  std::string origin() const override { return origin_; }
  void set_origin(const std::string& origin) { origin_ = origin; }

  // "in use", or why calls run step by step.
  const std::string& graphs() const { return graphs_; }

 private:
  // Memory of one tensor, on the host and the GPU, for the largest batch.
  struct Port {
    Port(const Cudart& cuda, std::size_t size) : host(cuda, size), device(cuda, size) {}
    PinnedBuffer host;
    DeviceBuffer device;
  };
  // A context with the shapes of one batch size.
  struct Shaped {
    std::unique_ptr<Execution> execution;
    std::unique_ptr<CudaGraph> graph;  // destroyed before its context
    std::int64_t batch = 0;
    std::uint64_t last_used = 0;
    bool ran = false;  // whether a call with these shapes has run step by step
  };

  void open_ports(const Passport& passport, const std::string& origin);
  Shaped& shaped_for(std::int64_t batch);
  Shaped& free_slot();
  void compute(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs, Shaped& shaped);
  void enqueue(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs, Shaped& shaped);

  // Members in the order of creation. They are released in reverse.
  std::unique_ptr<Cudart> cuda_;
  int gpu_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::int64_t batch_min_;
  std::int64_t batch_max_;
  std::vector<EngineTensor> tensors_;
  std::vector<std::unique_ptr<Port>> ports_;  // one per tensor
  std::vector<std::size_t> input_places_;     // indices of the tensors, one per spec
  std::vector<std::size_t> output_places_;
  std::unique_ptr<DeviceBuffer> scratch_;
  std::unique_ptr<CudaStream> stream_;
  std::vector<std::unique_ptr<Shaped>> shaped_;
  std::uint64_t calls_ = 0;
  bool record_ = true;
  std::string graphs_ = "in use";
  std::string origin_ = "loaded";
};

}  // namespace tensorrt
}  // namespace resemote_internal
