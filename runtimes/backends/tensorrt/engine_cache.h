// EngineCache: keeps engines that were built on this machine for the next start.
//
// An engine is one file: a line of JSON that says what it was built from and for, and then the plan, byte for byte as
// TensorRT wrote it. Everything in the line is compared; the file's name only keeps engines apart. A file is there whole
// or not at all. Beside it lies an empty file whose lock says that a process is building that engine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend.h"
#include "observer.h"

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

// Bytes of an engine.
struct Plan {
  const void* data = nullptr;
  std::size_t size = 0;
  std::shared_ptr<const void> owner;  // of the memory
};

// Result of a look-up in the cache.
struct CachedPlan {
  bool found = false;
  Plan plan;
  std::string reason;  // why nothing was found
};

// Folder that a caller has chosen, or $XDG_CACHE_HOME/resemote, or $HOME/.cache/resemote. Empty if there is none.
std::string cache_folder(const CacheChoice& choice);

class EngineCache {
 public:
  // With an empty path, the cache keeps and finds nothing.
  explicit EngineCache(const std::string& folder) : folder_(folder) {}

  // Gives `load` the plan of this key: the one in the folder, or else the one that `build` makes, which is kept. If
  // another process is building it, this one waits for it. A folder that cannot be used is a warning, and the engine is
  // built and used all the same. Returns where the engine came from, in words. Throws what `build` and `load` throw, and
  // Error with RESEMOTE_STATUS_CANCELLED.
  //   load:  Returns why the plan is refused; empty if it is accepted. One from the folder that is refused is built again.
  //   build: May take minutes. Looks at `cancelled` of the progress if it can.
  std::string obtain(const EngineKey& key, const std::function<std::string(const Plan&)>& load,
                     const std::function<Plan(Progress&)>& build, const Observer& observer) const;

  // Finds the plan of exactly this key, if it is complete. Never throws because of the contents of the folder.
  CachedPlan find(const EngineKey& key) const;
  // Keeps a plan, and replaces any other of this key. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  void keep(const EngineKey& key, const Plan& plan) const;

  std::string path(const EngineKey& key) const;

 private:
  bool load_found(const EngineKey& key, const std::function<std::string(const Plan&)>& load) const;
  void remove_leftovers(const EngineKey& key) const;

  std::string folder_;
};

}  // namespace tensorrt
}  // namespace resemote_internal
