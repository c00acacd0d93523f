#include "cudart.h"

#include <cstring>
#include <vector>

#include "engine_fit.h"
#include "error.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

// Larger than cudaDeviceProp of any version (about 1 KiB), because the library may write another version's.
constexpr std::size_t kPropertiesSize = 16384;
constexpr std::size_t kDeviceNameSize = 256;

std::vector<std::string> library_names() {
  // The version of the headers comes first. CUDA 11 has one name for all its versions; earlier names have the minor
  // too.
  std::string own = "libcudart.so." + std::to_string(CUDART_VERSION / 1000);
  if (CUDART_VERSION < 11000) own += "." + std::to_string(CUDART_VERSION % 1000 / 10);
  if (CUDART_VERSION / 1000 == 11) own += ".0";
  return {own,
          "libcudart.so.13",
          "libcudart.so.12",
          "libcudart.so.11.0",
          "libcudart.so.10.2",
          "libcudart.so",
          "/usr/local/cuda/lib64/libcudart.so"};
}

template <typename Function>
void load_if_there(const SharedLibrary& library, Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(library.find_symbol(name));
}

}  // namespace

Cudart::Cudart()
    : library_(library_names(), "", "RESEMOTE_CUDART_LIBRARY",
               "the CUDA runtime comes with JetPack and with the CUDA toolkit; where it is installed elsewhere, set "
               "RESEMOTE_CUDART_LIBRARY to libcudart.so or its folder") {
  library_.load(runtime_version_, "cudaRuntimeGetVersion");
  library_.load(device_count_, "cudaGetDeviceCount");
  library_.load(device_attribute_, "cudaDeviceGetAttribute");
  library_.load(device_properties_, "cudaGetDeviceProperties");
  library_.load(set_device_, "cudaSetDevice");
  library_.load(error_string_, "cudaGetErrorString");
  library_.load(malloc_device, "cudaMalloc");
  library_.load(free_device, "cudaFree");
  library_.load(malloc_host, "cudaMallocHost");
  library_.load(free_host, "cudaFreeHost");
  library_.load(memcpy_async, "cudaMemcpyAsync");
  library_.load(stream_create, "cudaStreamCreateWithFlags");
  library_.load(stream_synchronize, "cudaStreamSynchronize");
  library_.load(stream_destroy, "cudaStreamDestroy");
  library_.load(get_last_error, "cudaGetLastError");
  load_if_there(library_, begin_capture, "cudaStreamBeginCapture");
  load_if_there(library_, end_capture, "cudaStreamEndCapture");
  load_if_there(library_, graph_launch, "cudaGraphLaunch");
  load_if_there(library_, graph_destroy, "cudaGraphDestroy");
  load_if_there(library_, graph_exec_destroy, "cudaGraphExecDestroy");
  load_if_there(library_, instantiate_with_flags_, "cudaGraphInstantiateWithFlags");
  // This type is only used for versions before 12. Later ones have the function above.
  load_if_there(library_, instantiate_before_12_, "cudaGraphInstantiate");
}

std::string Cudart::version() const {
  int number = 0;
  check(runtime_version_(&number), "asking for CUDA's version");
  return cuda_version_text(number);
}

int Cudart::gpu_count(std::string& reason) const {
  int count = 0;
  const cudaError_t status = device_count_(&count);
  if (status == cudaSuccess && count > 0) return count;
  reason = status == cudaSuccess ? "no CUDA-capable device is detected" : error_string_(status);
  get_last_error();  // otherwise the next call would return this error
  return 0;
}

GpuInfo Cudart::gpu(int index) const {
  GpuInfo info;
  int major = 0;
  int minor = 0;
  check(device_attribute_(&major, cudaDevAttrComputeCapabilityMajor, index), "reading the compute capability");
  check(device_attribute_(&minor, cudaDevAttrComputeCapabilityMinor, index), "reading the compute capability");
  info.compute_capability = std::to_string(major) + "." + std::to_string(minor);
  std::vector<std::max_align_t> properties(kPropertiesSize / sizeof(std::max_align_t));
  check(device_properties_(properties.data(), index), "reading the GPU's name");
  char name[kDeviceNameSize + 1] = "";
  std::memcpy(name, properties.data(), kDeviceNameSize);
  info.name = name;
  return info;
}

void Cudart::use_gpu(int index) const { check(set_device_(index), "choosing the GPU"); }

void Cudart::check(cudaError_t status, const char* doing) const {
  if (status == cudaSuccess) return;
  get_last_error();
  const std::string message = std::string("CUDA failed at ") + doing + ": " + error_string_(status);
  if (status == cudaErrorMemoryAllocation) {
    throw Error(RESEMOTE_STATUS_OUT_OF_MEMORY, message + "; end other programs, or export for a smaller largest batch");
  }
  throw Error(RESEMOTE_STATUS_BACKEND_FAILED, message);
}

bool Cudart::has_graphs() const {
  return begin_capture != nullptr && end_capture != nullptr && graph_launch != nullptr && graph_destroy != nullptr &&
         graph_exec_destroy != nullptr && (instantiate_with_flags_ != nullptr || instantiate_before_12_ != nullptr);
}

cudaError_t Cudart::graph_instantiate(cudaGraphExec_t* executable, cudaGraph_t graph) const {
  if (instantiate_with_flags_ != nullptr) return instantiate_with_flags_(executable, graph, 0);
  return instantiate_before_12_(executable, graph, nullptr, nullptr, 0);
}

DeviceBuffer::DeviceBuffer(const Cudart& cuda, std::size_t size) : cuda_(cuda) {
  cuda_.check(cuda_.malloc_device(&data_, size), "taking memory of the GPU");
}

DeviceBuffer::~DeviceBuffer() { cuda_.free_device(data_); }

PinnedBuffer::PinnedBuffer(const Cudart& cuda, std::size_t size) : cuda_(cuda) {
  cuda_.check(cuda_.malloc_host(&data_, size), "taking pinned memory of the host");
}

PinnedBuffer::~PinnedBuffer() { cuda_.free_host(data_); }

CudaStream::CudaStream(const Cudart& cuda) : cuda_(cuda) {
  cuda_.check(cuda_.stream_create(&handle_, cudaStreamNonBlocking), "creating a stream");
}

CudaStream::~CudaStream() {
  settle();
  cuda_.stream_destroy(handle_);
}

void CudaStream::copy(void* target, const void* source, std::size_t size, cudaMemcpyKind kind) const {
  cuda_.check(cuda_.memcpy_async(target, source, size, kind, handle_), "copying");
}

void CudaStream::synchronize() const { cuda_.check(cuda_.stream_synchronize(handle_), "running the engine"); }

void CudaStream::settle() const noexcept {
  cuda_.stream_synchronize(handle_);
  cuda_.get_last_error();
}

CudaGraph::CudaGraph(const Cudart& cuda, const CudaStream& stream, const std::function<void()>& work)
    : cuda_(cuda), stream_(stream) {
  if (!cuda_.has_graphs()) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "CUDA " + cuda_.version() + " has no CUDA graphs");
  }
  cudaGraph_t graph = nullptr;
  record(work, graph);
  const cudaError_t status = cuda_.graph_instantiate(&executable_, graph);
  cuda_.graph_destroy(graph);
  cuda_.check(status, "instantiating a CUDA graph");
}

CudaGraph::~CudaGraph() { cuda_.graph_exec_destroy(executable_); }

void CudaGraph::launch() const {
  cuda_.check(cuda_.graph_launch(executable_, stream_.handle()), "launching a CUDA graph");
}

void CudaGraph::record(const std::function<void()>& work, cudaGraph_t& graph) const {
  // Thread-local, so that CUDA calls of other threads neither fail nor disturb the recording.
  cuda_.check(cuda_.begin_capture(stream_.handle(), cudaStreamCaptureModeThreadLocal), "recording a CUDA graph");
  try {
    work();
  } catch (...) {
    // The stream stays in capture until it is ended, even after an error.
    cuda_.end_capture(stream_.handle(), &graph);
    if (graph != nullptr) cuda_.graph_destroy(graph);
    cuda_.get_last_error();
    throw;
  }
  cuda_.check(cuda_.end_capture(stream_.handle(), &graph), "recording a CUDA graph");
}

}  // namespace tensorrt
}  // namespace resemote_internal
