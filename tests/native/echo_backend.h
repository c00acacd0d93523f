// A backend for tests, in the place of the real ones: its logits are the means of stripes of the input.
#pragma once

#include <atomic>
#include <cstdint>

namespace resemote_internal {

// How it behaves from now on; for the process.
struct EchoSettings {
  std::atomic<bool> hold{false};  // no inference ends while this is set
  std::atomic<bool> fail{false};  // each inference fails
  std::atomic<int> alive{0};      // engines that were made and not destroyed
  std::atomic<std::int64_t> largest_batch{0};  // of all inferences since it was set
};

EchoSettings& echo_settings();

}  // namespace resemote_internal
