// CPU features that decide what an engine can compute. The Python counterpart is cpu_features.py.
#pragma once

namespace resemote_internal {

// Largest magnitude of a weight such that the sum of two products with a byte fits into 16 bits.
constexpr int kSafeWeightLevels = 63;

// Whether the CPU adds pairs of products of an unsigned and a signed byte in 16 bits, where they may not fit: x86 CPUs
// without VNNI do.
bool int8_sums_saturate();

}  // namespace resemote_internal
