// CPU features that decide what an engine may be asked to compute; the twin of cpu_features.py.
#pragma once

namespace resemote_internal {

// Largest magnitude of a weight whose product with a byte, twice, fits 16 bits.
constexpr int kSafeWeightLevels = 63;

// Whether products of an unsigned and a signed byte are added in pairs in 16 bits, where they may not fit: x86 CPUs
// without VNNI.
bool int8_sums_saturate();

}  // namespace resemote_internal
