#include "build_memory.h"

#include <fstream>
#include <sstream>

#include "error.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

constexpr std::int64_t kKibPerMib = 1024;
// What the libraries of TensorRT and CUDA take at least when a builder is created. An estimate from below: no board was
// at hand.
constexpr std::int64_t kLibrariesMib = 256;
// The graph is in memory as it was read, and again as TensorRT's network.
constexpr std::int64_t kCopiesOfOnnx = 2;

}  // namespace

FreeMemory free_memory(const std::string& proc) {
  FreeMemory memory;
  std::ifstream facts(proc + "/meminfo");
  std::string name;
  std::int64_t kib = 0;
  for (std::string line; std::getline(facts, line);) {
    if (std::istringstream(line) >> name >> kib && name == "MemAvailable:") {
      memory.known = true;
      memory.available_mib = kib / kKibPerMib;
    }
  }
  std::ifstream swaps(proc + "/swaps");
  std::string kind;
  std::int64_t used = 0;
  for (std::string line; std::getline(swaps, line);) {
    if (!(std::istringstream(line) >> name >> kind >> kib >> used)) continue;  // the head of the table
    (name.find("zram") == std::string::npos ? memory.swap_mib : memory.zram_mib) += (kib - used) / kKibPerMib;
  }
  return memory;
}

void check_build_memory(const FreeMemory& memory, std::int64_t onnx_bytes, std::int64_t workspace_mib) {
  if (!memory.known) return;
  const std::int64_t onnx_mib = onnx_bytes / (kKibPerMib * kKibPerMib) + 1;
  const std::int64_t needed = workspace_mib + kCopiesOfOnnx * onnx_mib + kLibrariesMib;
  if (memory.available_mib + memory.swap_mib >= needed) return;
  throw Error(RESEMOTE_STATUS_OUT_OF_MEMORY,
              "building the engine needs at least " + std::to_string(needed) + " MiB (workspace " +
                  std::to_string(workspace_mib) + "), and free are " + std::to_string(memory.available_mib) +
                  " MiB of memory and " + std::to_string(memory.swap_mib) + " MiB of swap" +
                  (memory.zram_mib > 0 ? " (zram's " + std::to_string(memory.zram_mib) +
                                             " MiB are not counted, because they are taken from the memory; turn it off: "
                                             "sudo systemctl disable --now nvzramconfig)"
                                       : "") +
                  "; end other programs, add a swap file (sudo fallocate -l 4G /swapfile && sudo chmod 600 /swapfile && "
                  "sudo mkswap /swapfile && sudo swapon /swapfile), or pass a smaller workspace_mib");
}

}  // namespace tensorrt
}  // namespace resemote_internal
