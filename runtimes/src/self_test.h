// Self-test: computes an artifact's golden crops again on this machine.
#pragma once

#include "session.h"

namespace resemote_internal {

struct SelfTestResult {
  int crops = 0;
  double max_abs_diff = 0.0;
  double limit = 0.0;
  double top1_agreement = 0.0;  // 1 for a detector, which has no classes

  bool passed() const { return max_abs_diff <= limit; }
};

// Runs the way from colour crop to output, as for a caller's faces, or from a detector's pictures. Throws Error if the golden data cannot be read or
// an output is not finite.
SelfTestResult self_test(Session& session);

}  // namespace resemote_internal
