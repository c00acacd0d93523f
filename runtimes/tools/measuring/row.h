// Row: one combination of artifact, scenario and batch size, or the accuracy of an artifact; each in a process of its own.
#pragma once

#include <string>

#include "measuring/process.h"
#include "measuring/scenarios.h"
#include "session_choice.h"

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

// Finds a `row` of a report, and the `packages`: versions of the library and the engine. See run_apart.
Measured measure_row(const Job& job, const SessionChoice& choice, const StopRequest& stop);

// Finds an AccuracyReport of the job's artifact over a file of crops. See run_apart.
Measured measure_accuracy(const Job& job, const SessionChoice& choice, const std::string& crops, const StopRequest& stop);

}  // namespace resemote_tools
