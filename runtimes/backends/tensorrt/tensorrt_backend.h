// The backend "tensorrt": it runs engines of TensorRT, and builds them on the device from ONNX.
#pragma once

#include "backend.h"

namespace resemote_internal {

const Backend& tensorrt_backend();

}  // namespace resemote_internal
