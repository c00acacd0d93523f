// Cudart: the few functions of the CUDA runtime that are needed, found at run time, and what they hand out as objects
// that release themselves.
//
// Their types are those of the CUDA headers this is built with. libcudart of another major version may be found beside
// TensorRT: of these functions only cudaGraphInstantiate ever changed, and cudaDeviceProp, of which only the name is
// read, first in every version.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <cuda_runtime_api.h>

#include "shared_library.h"

namespace resemote_internal {
namespace tensorrt {

// What a GPU is, as far as engines depend on it.
struct GpuInfo {
  std::string name;                // "Orin"
  std::string compute_capability;  // "8.7"
};

class Cudart {
 public:
  // Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE where there is none.
  Cudart();

  std::string version() const;
  // GPUs with a working driver. Zero, with CUDA's words for it in `reason`, where there is none; never throws.
  int gpu_count(std::string& reason) const;
  GpuInfo gpu(int index) const;
  // For the calling thread; what follows on it is that GPU's.
  void use_gpu(int index) const;
  // Throws Error where a call failed: BACKEND_FAILED, or OUT_OF_MEMORY. `doing` is shown in the message.
  void check(cudaError_t status, const char* doing) const;

  // By the names they have in CUDA.
  decltype(::cudaMalloc)* malloc_device = nullptr;
  decltype(::cudaFree)* free_device = nullptr;
  decltype(::cudaMallocHost)* malloc_host = nullptr;
  decltype(::cudaFreeHost)* free_host = nullptr;
  decltype(::cudaMemcpyAsync)* memcpy_async = nullptr;
  decltype(::cudaStreamCreateWithFlags)* stream_create = nullptr;
  decltype(::cudaStreamSynchronize)* stream_synchronize = nullptr;
  decltype(::cudaStreamDestroy)* stream_destroy = nullptr;
  decltype(::cudaGetLastError)* get_last_error = nullptr;

  // Null where the library is older than CUDA graphs.
  decltype(::cudaStreamBeginCapture)* begin_capture = nullptr;
  decltype(::cudaStreamEndCapture)* end_capture = nullptr;
  decltype(::cudaGraphLaunch)* graph_launch = nullptr;
  decltype(::cudaGraphDestroy)* graph_destroy = nullptr;
  decltype(::cudaGraphExecDestroy)* graph_exec_destroy = nullptr;
  bool has_graphs() const;
  cudaError_t graph_instantiate(cudaGraphExec_t* executable, cudaGraph_t graph) const;

 private:
  // Since CUDA 11.4; its older twin's last parameters differ between CUDA 11 and 12.
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

// Memory of the current GPU. A Cudart outlives what it handed out.
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

// Memory of the host that the GPU reads and writes without a detour.
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

// A stream of its own, which waits for no other.
class CudaStream {
 public:
  explicit CudaStream(const Cudart& cuda);
  // Waits until it is idle.
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  cudaStream_t handle() const { return handle_; }
  void copy(void* target, const void* source, std::size_t size, cudaMemcpyKind kind) const;
  // Until all that was put on it is done; errors of that work come out here.
  void synchronize() const;
  // The same where an error is being handled already.
  void settle() const noexcept;

 private:
  const Cudart& cuda_;
  cudaStream_t handle_ = nullptr;
};

// Work of a stream, recorded once and launched as a whole.
class CudaGraph {
 public:
  // Records what `work` puts on the stream; nothing of it runs. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED where
  // that is not possible, or what `work` throws; the stream is as before.
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
