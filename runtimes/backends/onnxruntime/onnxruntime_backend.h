#pragma once

#include "backend.h"

namespace resemote_internal {

// ONNX Runtime through the function table of its C API, on the CPU.
const Backend& onnxruntime_backend();

}  // namespace resemote_internal
