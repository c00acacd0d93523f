// Row: one combination of artifact, scenario and batch size, measured in a process of its own, so that memory, threads
// and load time belong to it alone, and a crash of an engine ends nothing else.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "measuring/scenarios.h"
#include "session_choice.h"
#include "signals.h"

namespace resemote_tools {

struct Job {
  std::string artifact;
  const Scenario* scenario = nullptr;
  Settings settings;
  std::size_t batch = 1;
  int threads = 1;  // over all streams
  int streams = 1;
  int crop_side = 48;
  double timeout_s = 1800.0;
};

struct Measured {
  nlohmann::json row;       // of a report; null if it was not measured
  nlohmann::json packages;  // versions of the library and the engine
  std::string failure;      // why it was not measured
  bool refused = false;     // it cannot run here, rather than having failed
};

// Throws Interrupted if the user asked to stop; then no process is left.
Measured measure_row(const Job& job, const SessionChoice& choice, const StopRequest& stop);

}  // namespace resemote_tools
