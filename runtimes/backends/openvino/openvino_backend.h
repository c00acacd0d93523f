#pragma once

#include "backend.h"

namespace resemote {

// OpenVINO through its C API.
const Backend& openvino_backend();

}  // namespace resemote
