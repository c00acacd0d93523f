// Quantiles of samples.
#pragma once

#include <vector>

namespace resemote_tools {

// Linear between the two samples next to it, as numpy.quantile. `ordered`: ascending; one sample at least.
double quantile(const std::vector<double>& ordered, double share);

}  // namespace resemote_tools
