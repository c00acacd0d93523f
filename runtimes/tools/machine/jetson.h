// Jetson: the release, libraries and power mode that a board runs, from files that NVIDIA puts there.
#pragma once

#include <string>

#include "machine/system.h"

namespace resemote_tools {

struct PowerMode {
  long long id = 0;
  std::string name;  // such as MAXN; "" if the board's list does not have it

  bool operator==(const PowerMode& other) const { return id == other.id && name == other.name; }
  std::string text() const { return (name.empty() ? "unnamed" : name) + " (mode " + std::to_string(id) + ")"; }
};

void to_json(nlohmann::json& to, const PowerMode& mode);

// L4T release, such as 36.4.3; "" if this is no Jetson.
std::string l4t_release(const System& system);
// JetPack of an L4T release; "" if it is not known.
std::string jetpack_version(const std::string& release);
// The mode that nvpmodel set last.
Maybe<PowerMode> power_mode(const System& system);
// Versions of the system's CUDA toolkit and TensorRT library; "" if there is none.
std::string cuda_version(const System& system);
std::string tensorrt_version(const System& system);

}  // namespace resemote_tools
