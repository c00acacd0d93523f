#include "error.h"

namespace resemote_internal {
namespace {

// A plain array, so that remembering a failure cannot fail itself, even if no memory is left.
thread_local char last[4096] = "";

}  // namespace

resemote_status remember_failure(resemote_status status, const char* message) noexcept {
  std::size_t length = 0;
  for (; message[length] != '\0' && length + 1 < sizeof last; ++length) last[length] = message[length];
  last[length] = '\0';
  return status;
}

const char* last_failure() noexcept { return last; }

}  // namespace resemote_internal
