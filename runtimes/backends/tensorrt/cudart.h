// Cudart: the functions of the CUDA runtime that this library uses, found at run time, and classes that release what
// these functions create.
//
// Their types come from the CUDA headers of the build. A libcudart of another major version may be found beside
// TensorRT. Of these functions, only cudaGraphInstantiate has ever changed. So has the struct cudaDeviceProp, but only
// its name is read, which comes first in every version.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <cuda_runtime_api.h>

#include "shared_library.h"

namespace resemote_internal {
namespace tensorrt {

// The properties of a GPU that engines depend on.
struct GpuInfo {
  std::string name;                // "Orin"
  std::string compute_capability;  // "8.7"
};

class Cudart {
 public:
  // Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE if there is no libcudart.
  Cudart();

  std::string version() const;
  // Number of GPUs with a working driver. If it is zero, `reason` is CUDA's message. Never throws.
  int gpu_count(std::string& reason) const;
  GpuInfo gpu(int index) const;
  // Selects a GPU for the following work of the calling thread.
  void use_gpu(int index) const;
  // Throws Error if a call failed: BACKEND_FAILED, or OUT_OF_MEMORY. `doing` is shown in the message.
  void check(cudaError_t status, const char* doing) const;

  // Functions with their names in CUDA.
  decltype(::cudaMalloc)* malloc_device = nullptr;
  decltype(::cudaFree)* free_device = nullptr;
  decltype(::cudaMallocHost)* malloc_host = nullptr;
  decltype(::cudaFreeHost)* free_host = nullptr;
  decltype(::cudaMemcpyAsync)* memcpy_async = nullptr;
  decltype(::cudaStreamCreateWithFlags)* stream_create = nullptr;
  decltype(::cudaStreamSynchronize)* stream_synchronize = nullptr;
  decltype(::cudaStreamDestroy)* stream_destroy = nullptr;
  decltype(::cudaGetLastError)* get_last_error = nullptr;

  // Null if the library is older than CUDA graphs.
  decltype(::cudaStreamBeginCapture)* begin_capture = nullptr;
  decltype(::cudaStreamEndCapture)* end_capture = nullptr;
  decltype(::cudaGraphLaunch)* graph_launch = nullptr;
  decltype(::cudaGraphDestroy)* graph_destroy = nullptr;
  decltype(::cudaGraphExecDestroy)* graph_exec_destroy = nullptr;
  bool has_graphs() const;
  cudaError_t graph_instantiate(cudaGraphExec_t* executable, cudaGraph_t graph) const;

 private:
  // Exists since CUDA 11.4. The last parameters of the older function differ between CUDA 11 and 12.
  using InstantiateWithFlags = cudaError_t(cudaGraphExec_t*, cudaGraph_t, unsigned long long);
  using InstantiateBefore12 = cudaError_t(cudaGraphExec_t*, cudaGraph_t, cudaGraphNode_t*, char*, std::size_t);
  // The type of the first parameter differs between versions.
  using GetDeviceProperties = cudaError_t(void*, int);

  SharedLibrary library_;
  decltype(::cudaRuntimeGetVersion)* runtime_version_ = nullptr;
  decltype(::cudaGetDeviceCount)* device_count_ = nullptr;
  decltype(::cudaDeviceGetAttribute)* device_attribute_ = nullptr;
  decltype(::cudaSetDevice)* set_device_ = nullptr;
  decltype(::cudaGetErrorString)* error_string_ = nullptr;
  GetDeviceProperties* device_properties_ = nullptr;
  InstantiateWithFlags* instantiate_with_flags_ = nullptr;
  InstantiateBefore12* instantiate_before_12_ = nullptr;
};

// Memory of the current GPU. It must not outlive its Cudart.
class DeviceBuffer {
 public:
  DeviceBuffer(const Cudart& cuda, std::size_t size);
  ~DeviceBuffer();
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  void* data() const { return data_; }

 private:
  const Cudart& cuda_;
  void* data_ = nullptr;
};

// Pinned host memory, which the GPU reads and writes directly.
class PinnedBuffer {
 public:
  PinnedBuffer(const Cudart& cuda, std::size_t size);
  ~PinnedBuffer();
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;

  void* data() const { return data_; }

 private:
  const Cudart& cuda_;
  void* data_ = nullptr;
};

// A stream that waits for no other stream.
class CudaStream {
 public:
  explicit CudaStream(const Cudart& cuda);
  // Waits until it is idle.
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  cudaStream_t handle() const { return handle_; }
  void copy(void* target, const void* source, std::size_t size, cudaMemcpyKind kind) const;
  // Waits until all its work is done, and reports errors of that work.
  void synchronize() const;
  // The same, for use while another error is handled.
  void settle() const noexcept;

 private:
  const Cudart& cuda_;
  cudaStream_t handle_ = nullptr;
};

// The work of a stream, recorded once and launched as a whole.
class CudaGraph {
 public:
  // Records what `work` puts on the stream, without running it. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED if
  // that is not possible, or what `work` throws. The stream is then as before.
  CudaGraph(const Cudart& cuda, const CudaStream& stream, const std::function<void()>& work);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void launch() const;

 private:
  void record(const std::function<void()>& work, cudaGraph_t& graph) const;

  const Cudart& cuda_;
  const CudaStream& stream_;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace tensorrt
}  // namespace resemote_internal
