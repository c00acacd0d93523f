// evaluate: a network over every image of a file of crops.
#pragma once

#include <functional>
#include <string>

#include "evaluation/accuracy.h"
#include "evaluation/crops_file.h"
#include "network.h"

namespace resemote_tools {

// Crops in a batch, as in resemote-edge: batches of another size may round differently. A network for `evaluate` is
// opened for at least so many.
constexpr std::size_t EVALUATION_BATCH = 32;

// Counts every image. Writes the predictions to `csv` as lines of CSV, unless it is null. `done` is called with the number of
// images so far, and may throw to stop. Throws ToolError if the network lacks a class of the file.
void evaluate(Network& network, const CropsFile& crops, Accuracy& accuracy, std::string* csv,
              const std::function<void(std::size_t)>& done);

// The fields of an AccuracyReport of resemote-edge.
nlohmann::json accuracy_report(const Accuracy& accuracy, const CropsFile& crops);

}  // namespace resemote_tools
