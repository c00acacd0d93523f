// Whether an engine fits this machine: versions and compute capabilities, compared and told in words.
#pragma once

#include <cstdint>
#include <string>

#include "passport.h"

namespace resemote_internal {
namespace tensorrt {

// "10.13.3" from what getInferLibVersion() says (101303); TensorRT before 10 counted in thousands (8502 is 8.5.2).
std::string tensorrt_version_text(std::int32_t number);
// "12.6" from what cudaRuntimeGetVersion() says (12060).
std::string cuda_version_text(int number);

// Python packages give four numbers, libraries before TensorRT 10 three: as many are compared as both have, at least
// three.
bool same_version(const std::string& first, const std::string& second);

// Throws Error with RESEMOTE_STATUS_ARTIFACT_MISMATCH, naming both sides, where the engine that the passport describes
// was built by another TensorRT or for other GPUs. `origin` is shown in messages.
void check_engine_fits(const Passport& passport, const std::string& origin, const std::string& tensorrt_version,
                       const std::string& compute_capability);

}  // namespace tensorrt
}  // namespace resemote_internal
