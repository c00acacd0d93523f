// EngineCache: engines that were built on this machine, kept for the next start.
//
// An engine is two files: the plan, byte for byte as TensorRT gave it, so that NVIDIA's own tools read it, and a JSON
// beside it that says what it was built from and for. What the JSON says is compared in full; the file name only keeps
// engines apart.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace resemote_internal {
namespace tensorrt {

// Everything an engine depends on.
struct EngineKey {
  std::string onnx_sha256;         // hex, of the file it is built from
  std::string tensorrt_version;    // "10.3.0.30"
  std::string cuda_version;        // "12.6"
  std::string compute_capability;  // "8.7"
  std::string device_name;         // two boards of one capability differ in memory and in clocks
  std::vector<std::string> flags;  // how it is built: precision, batch sizes, workspace
};

// What a look into the cache gave.
struct CachedPlan {
  bool found = false;
  std::string plan;    // bytes
  std::string reason;  // why nothing was found
};

class EngineCache {
 public:
  // Creates the folder. An empty path keeps and finds nothing. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where
  // it cannot be written to: better before a build of minutes than after it.
  explicit EngineCache(const std::string& folder);

  // The plan of exactly this key, if it is whole. Never throws because of what stands in the folder.
  CachedPlan find(const EngineKey& key) const;
  // Keeps a plan, in place of any other of this key. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  void keep(const EngineKey& key, const void* plan, std::size_t size) const;

  std::string plan_path(const EngineKey& key) const;
  std::string description_path(const EngineKey& key) const;

 private:
  std::string stem(const EngineKey& key) const;

  std::string folder_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
