// Environment: the machine that something was measured on, with the facts of resemote_edge/machine/environment.py.
#pragma once

#include <nlohmann/json.hpp>

#include "machine/system.h"

namespace resemote_tools {

// Facts that are not known are null. `packages` is left to the caller, who knows the engines.
nlohmann::json capture_environment(const System& system);

}  // namespace resemote_tools
