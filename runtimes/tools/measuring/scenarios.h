// Scenarios: ways in which faces come to a network, with the names and rules of resemote_edge/measuring/scenarios/.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "measuring/subject.h"
#include "measuring/timing.h"

namespace resemote_tools {

// Every sample of one run of a scenario.
struct Taken {
  WarmUp warm_up;
  std::vector<std::int64_t> model;
  std::vector<StageTimes> stages;
  nlohmann::json outcome;
};

using Subjects = std::vector<std::unique_ptr<Subject>>;

struct Scenario {
  const char* name;
  bool streams;  // whether it can drive several sessions at once
  Taken (*run)(const Subjects& subjects, const Settings& settings);
};

// All scenarios, in the order of the help.
const std::vector<Scenario>& scenarios();

}  // namespace resemote_tools
