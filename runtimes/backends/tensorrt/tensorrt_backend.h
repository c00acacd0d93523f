// The backend "tensorrt": engines of TensorRT, and ONNX from which it builds them on the device.
#pragma once

#include "backend.h"

namespace resemote_internal {

const Backend& tensorrt_backend();

}  // namespace resemote_internal
