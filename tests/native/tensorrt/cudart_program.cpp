// The library's CUDA functions on a GPU, without TensorRT: memory, a stream, copies, a graph, and what an error says.
// Prints what it found. Exit code 77: there is no GPU, or no CUDA runtime.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "cudart.h"
#include "error.h"

namespace {

using namespace resemote_internal;            // NOLINT
using namespace resemote_internal::tensorrt;  // NOLINT

constexpr int kNothingHere = 77;
constexpr std::size_t kCount = 1 << 20;
constexpr std::size_t kSize = kCount * sizeof(std::uint32_t);

void fill(std::uint32_t* values, std::uint32_t first) {
  for (std::size_t at = 0; at < kCount; ++at) values[at] = first + static_cast<std::uint32_t>(at) * 2654435761u;
}

bool equal(const std::uint32_t* left, const std::uint32_t* right) {
  for (std::size_t at = 0; at < kCount; ++at) {
    if (left[at] != right[at]) return false;
  }
  return true;
}

void run(const Cudart& cuda) {
  cuda.use_gpu(0);
  const DeviceBuffer device(cuda, kSize);
  const DeviceBuffer other(cuda, kSize);
  const PinnedBuffer pinned(cuda, 2 * kSize);
  const CudaStream stream(cuda);
  auto* sent = static_cast<std::uint32_t*>(pinned.data());
  std::uint32_t* got = sent + kCount;

  fill(sent, 1);
  stream.copy(device.data(), sent, kSize, cudaMemcpyHostToDevice);
  stream.copy(got, device.data(), kSize, cudaMemcpyDeviceToHost);
  stream.synchronize();
  CHECK(equal(sent, got));
  std::printf("pinned memory: %zu bytes there and back\n", kSize);

  std::vector<std::uint32_t> ordinary(kCount);
  fill(ordinary.data(), 2);
  stream.copy(device.data(), ordinary.data(), kSize, cudaMemcpyHostToDevice);
  std::vector<std::uint32_t> back(kCount);
  stream.copy(back.data(), device.data(), kSize, cudaMemcpyDeviceToHost);
  stream.synchronize();
  CHECK(equal(ordinary.data(), back.data()));
  std::printf("ordinary memory: the same\n");

  CHECK(cuda.has_graphs());
  const CudaGraph graph(cuda, stream, [&] {
    stream.copy(device.data(), sent, kSize, cudaMemcpyHostToDevice);
    stream.copy(other.data(), device.data(), kSize, cudaMemcpyDeviceToDevice);
    stream.copy(got, other.data(), kSize, cudaMemcpyDeviceToHost);
  });
  for (std::uint32_t round = 3; round < 6; ++round) {
    fill(sent, round);
    CHECK(!equal(sent, got));
    graph.launch();
    stream.synchronize();
    CHECK(equal(sent, got));
  }
  std::printf("graph of three copies: three launches\n");

  bool thrown = false;
  try {
    const CudaGraph failing(cuda, stream, [] { throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "on purpose"); });
  } catch (const Error&) {
    thrown = true;
  }
  CHECK(thrown);
  graph.launch();  // the stream is as before
  stream.synchronize();
  std::printf("a recording that fails leaves the stream as it was\n");

  thrown = false;
  try {
    const DeviceBuffer huge(cuda, std::size_t{1} << 50);
  } catch (const Error& error) {
    thrown = true;
    CHECK(error.status() == RESEMOTE_STATUS_OUT_OF_MEMORY);
    std::printf("too much memory: %s\n", error.what());
  }
  CHECK(thrown);
  const DeviceBuffer after(cuda, kSize);
}

}  // namespace

int main() {
  try {
    const Cudart cuda;
    std::string reason;
    const int count = cuda.gpu_count(reason);
    std::printf("CUDA runtime %s, %d GPUs\n", cuda.version().c_str(), count);
    if (count == 0) {
      std::printf("no GPU: %s\n", reason.c_str());
      return kNothingHere;
    }
    const GpuInfo info = cuda.gpu(0);
    std::printf("%s, compute capability %s\n", info.name.c_str(), info.compute_capability.c_str());
    run(cuda);
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return error.status() == RESEMOTE_STATUS_BACKEND_UNAVAILABLE ? kNothingHere : 1;
  }
  return 0;
}
