#pragma once

#include "backend.h"

namespace resemote_internal {

// OpenVINO through its C API.
const Backend& openvino_backend();

}  // namespace resemote_internal
