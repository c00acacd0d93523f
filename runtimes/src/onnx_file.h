// ONNX files with tensors that they do not hold themselves; the twin of artifacts/onnx_file.py.
#pragma once

#include <string>

namespace resemote_internal {

// Throws Error with RESEMOTE_STATUS_ARTIFACT_INVALID where a tensor's data lies outside the file: in another one, which
// the passport does not vouch for, or at an address of this process, which some engines follow.
void refuse_external_data(const std::string& path);

}  // namespace resemote_internal
