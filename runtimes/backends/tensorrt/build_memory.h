// Memory that is free for building an engine. A board that runs out of it kills the program after many minutes.
#pragma once

#include <cstdint>
#include <string>

namespace resemote_internal {
namespace tensorrt {

struct FreeMemory {
  bool known = false;
  std::int64_t available_mib = 0;  // without swapping
  std::int64_t swap_mib = 0;       // free, on a disk
  std::int64_t zram_mib = 0;       // free, but taken from the memory itself
};

// Reads meminfo and swaps in a folder, which is /proc except in tests.
FreeMemory free_memory(const std::string& proc = "/proc");

// Throws Error with RESEMOTE_STATUS_OUT_OF_MEMORY, which names the cures, if a build cannot succeed with this.
void check_build_memory(const FreeMemory& memory, std::int64_t onnx_bytes, std::int64_t workspace_mib);

}  // namespace tensorrt
}  // namespace resemote_internal
