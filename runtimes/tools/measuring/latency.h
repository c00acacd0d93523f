// Latency: a distribution of wall times, with intervals, and without percentiles that too few samples cannot show. The
// same definitions as in resemote_edge/measuring/latency.py; the intervals are drawn with another random generator.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

namespace resemote_tools {

// Record of a report. `nanoseconds`: times of the calls in the order they were taken; at least one.
nlohmann::json latency_of(const std::vector<std::int64_t>& nanoseconds);

}  // namespace resemote_tools
