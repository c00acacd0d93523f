#include "measuring/latency.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "measuring/timing.h"
#include "quantile.h"

namespace resemote_tools {
namespace {

constexpr int RESAMPLES = 500;
constexpr std::uint64_t SEED = 0;

struct Percentile {
  const char* name;
  double share;
};

constexpr Percentile PERCENTILES[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}};

// Number of samples without which a percentile has no upper bound (David and Nagaraja, Order Statistics, 2003).
std::size_t runs_needed(double share) { return static_cast<std::size_t>(std::ceil(std::log(0.025) / std::log(share))); }

// Percentiles of runs that are drawn from this one, in blocks of consecutive calls (Kuensch, 1989): a row for each share.
std::vector<std::vector<double>> resampled(const std::vector<std::int64_t>& samples, const std::vector<double>& shares) {
  const std::size_t count = samples.size();
  const std::size_t block = static_cast<std::size_t>(std::sqrt(static_cast<double>(count)));
  const std::size_t blocks = (count + block - 1) / block;
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return samples[a] < samples[b]; });
  std::vector<std::vector<double>> found(shares.size());
  std::mt19937_64 random(SEED);
  std::uniform_int_distribution<std::size_t> any_block(0, blocks - 1);
  std::vector<std::size_t> times(blocks), below(count);
  for (int resample = 0; resample < RESAMPLES; ++resample) {
    std::fill(times.begin(), times.end(), 0);
    for (std::size_t i = 0; i < blocks; ++i) ++times[any_block(random)];
    // This counts how many samples of the resample lie at or below each value, without making the resample.
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) below[i] = sum += times[order[i] / block];
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const double wanted = shares[i] * static_cast<double>(sum);
      const auto at = std::lower_bound(below.begin(), below.end(), wanted,
                                       [](std::size_t value, double limit) { return static_cast<double>(value) < limit; });
      found[i].push_back(static_cast<double>(samples[order[static_cast<std::size_t>(at - below.begin())]]) / 1e6);
    }
  }
  for (std::vector<double>& row : found) std::sort(row.begin(), row.end());
  return found;
}

}  // namespace

nlohmann::json latency_of(const std::vector<std::int64_t>& nanoseconds) {
  std::vector<double> ordered;
  for (const std::int64_t sample : nanoseconds) ordered.push_back(static_cast<double>(sample) / 1e6);
  const double mean = std::accumulate(ordered.begin(), ordered.end(), 0.0) / static_cast<double>(ordered.size());
  std::sort(ordered.begin(), ordered.end());
  nlohmann::json latency = {{"runs", nanoseconds.size()},
                            {"mean_ms", mean},
                            {"min_ms", ordered.front()},
                            {"max_ms", ordered.back()},
                            {"p50_ms", median(nanoseconds) / 1e6},
                            {"interval_95_ms", nlohmann::json::object()}};
  std::vector<double> shares;
  for (const Percentile& one : PERCENTILES) {
    const std::string name = std::string(one.name) + "_ms";
    if (nanoseconds.size() >= runs_needed(one.share)) {
      shares.push_back(one.share);
      latency[name] = quantile(ordered, one.share);
    } else if (one.share > 0.5) {  // the median is always told, without an interval
      latency[name] = nullptr;
    }
  }
  if (shares.empty()) return latency;
  const std::vector<std::vector<double>> drawn = resampled(nanoseconds, shares);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    latency["interval_95_ms"][PERCENTILES[i].name] = {quantile(drawn[i], 0.025), quantile(drawn[i], 0.975)};
  }
  return latency;
}

}  // namespace resemote_tools
