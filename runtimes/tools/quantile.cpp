#include "quantile.h"

#include <algorithm>
#include <cstddef>

namespace resemote_tools {

double quantile(const std::vector<double>& ordered, double share) {
  const double place = share * static_cast<double>(ordered.size() - 1);
  const std::size_t below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ordered.size() - 1);
  return ordered[below] + (ordered[above] - ordered[below]) * (place - static_cast<double>(below));
}

}  // namespace resemote_tools
