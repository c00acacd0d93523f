#include "engine_fit.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "error.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

constexpr char kBuilder[] = "tensorrt";
constexpr std::size_t kLeastNumbers = 3;

std::vector<long> numbers(const std::string& version) {
  std::vector<long> found;
  const char* rest = version.c_str();
  while (*rest >= '0' && *rest <= '9') {
    char* end = nullptr;
    found.push_back(std::strtol(rest, &end, 10));
    rest = *end == '.' ? end + 1 : end;
  }
  return found;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

}  // namespace

std::string tensorrt_version_text(std::int32_t number) {
  const std::int32_t major_unit = number < 10000 ? 1000 : 10000;
  return std::to_string(number / major_unit) + "." + std::to_string(number % major_unit / 100) + "." +
         std::to_string(number % 100);
}

std::string cuda_version_text(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

bool same_version(const std::string& first, const std::string& second) {
  const std::vector<long> left = numbers(first);
  const std::vector<long> right = numbers(second);
  const std::size_t count = std::min(left.size(), right.size());
  if (count < kLeastNumbers) return first == second;
  return std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin());
}

void check_engine_fits(const Passport& passport, const std::string& origin, const std::string& tensorrt_version,
                       const std::string& compute_capability) {
  const EngineInfo& engine = passport.engine;
  if (!engine.present) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                origin + ": its passport does not say what the engine was built for; export it again");
  }
  if (engine.builder != kBuilder || !same_version(engine.version, tensorrt_version)) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                origin + ": the engine was built by " + engine.builder + " " + engine.version + ", here is " +
                    kBuilder + " " + tensorrt_version +
                    "; install that version, or export the artifact again on this machine");
  }
  const std::vector<std::string>& built_for = engine.compute_capabilities;
  if (std::find(built_for.begin(), built_for.end(), compute_capability) == built_for.end()) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH, origin + ": the engine was built for compute capability " +
                                                       joined(built_for) + ", this GPU has " + compute_capability +
                                                       "; export the artifact again on this machine");
  }
}

}  // namespace tensorrt
}  // namespace resemote_internal
