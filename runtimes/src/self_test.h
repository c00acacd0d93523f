// Self-test: an artifact's golden crops, computed again on this machine.
#pragma once

#include "session.h"

namespace resemote_internal {

struct SelfTestResult {
  int crops = 0;
  double max_abs_diff = 0.0;
  double limit = 0.0;
  double top1_agreement = 0.0;

  bool passed() const { return max_abs_diff <= limit; }
};

// From colour crop to output, as a caller's faces go. Throws Error where the golden data cannot be read, or where an
// output is not finite.
SelfTestResult self_test(Session& session);

}  // namespace resemote_internal
