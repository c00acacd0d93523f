// Process: work that is done in a process of its own, so that memory, threads and load time belong to it alone, and a
// crash of an engine ends nothing else. The process that starts it must not have opened an engine.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "signals.h"

namespace resemote_tools {

struct Measured {
  nlohmann::json found;  // what the work returned; null if it failed
  std::string failure;   // why it failed
  bool refused = false;  // it cannot be done here, rather than having failed
};

// Throws Interrupted if the user asked to stop; then no process is left.
Measured run_apart(const std::function<nlohmann::json()>& work, double timeout_s, const StopRequest& stop);

}  // namespace resemote_tools
