// Checks whether an engine fits this machine: compares versions and compute capabilities, and explains the result.
#pragma once

#include <cstdint>
#include <string>

#include "passport.h"

namespace resemote_internal {
namespace tensorrt {

// "10.13.3" from the result of getInferLibVersion() (101303). Before TensorRT 10, it has another form (8502 is 8.5.2).
std::string tensorrt_version_text(std::int32_t number);
// "12.6" from the result of cudaRuntimeGetVersion() (12060).
std::string cuda_version_text(int number);

// Python packages state four numbers, and libraries before TensorRT 10 three. As many numbers are compared as both
// have, at least three.
bool same_version(const std::string& first, const std::string& second);

// Throws Error with RESEMOTE_STATUS_ARTIFACT_MISMATCH, which names both sides, if the engine in the passport was built
// by another TensorRT or for other GPUs. `origin` is shown in messages.
void check_engine_fits(const Passport& passport, const std::string& origin, const std::string& tensorrt_version,
                       const std::string& compute_capability);

}  // namespace tensorrt
}  // namespace resemote_internal
