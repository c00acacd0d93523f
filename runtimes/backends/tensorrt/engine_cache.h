// EngineCache: keeps engines that were built on this machine for the next start.
//
// An engine consists of two files: the plan, byte for byte as TensorRT wrote it, so that NVIDIA's own tools can read
// it, and a JSON file that says what it was built from and for. Everything in the JSON is compared; the file name only
// keeps engines apart.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace resemote_internal {
namespace tensorrt {

// Everything an engine depends on.
struct EngineKey {
  std::string onnx_sha256;         // hex, of the file that it is built from
  std::string tensorrt_version;    // "10.3.0.30"
  std::string cuda_version;        // "12.6"
  std::string compute_capability;  // "8.7"
  std::string device_name;         // boards with the same capability differ in memory and clocks
  std::vector<std::string> flags;  // build settings: precision, batch sizes, workspace
};

// Result of a look-up in the cache.
struct CachedPlan {
  bool found = false;
  std::string plan;    // bytes
  std::string reason;  // why nothing was found
};

class EngineCache {
 public:
  // Creates the folder. With an empty path, the cache keeps and finds nothing. Throws Error with
  // RESEMOTE_STATUS_INVALID_ARGUMENT if the folder cannot be written to, before a build that takes minutes.
  explicit EngineCache(const std::string& folder);

  // Finds the plan of exactly this key, if it is complete. Never throws because of the contents of the folder.
  CachedPlan find(const EngineKey& key) const;
  // Keeps a plan, and replaces any other of this key. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  void keep(const EngineKey& key, const void* plan, std::size_t size) const;

  std::string plan_path(const EngineKey& key) const;
  std::string description_path(const EngineKey& key) const;

 private:
  std::string stem(const EngineKey& key) const;

  std::string folder_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
