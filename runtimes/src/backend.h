// Backend and Engine: what the library asks of an inference engine. Four verbs: probe, create, run, destroy.
//
// One folder under backends/ per engine. A backend's shared library is found when it is first needed, so that one
// binary runs with or without it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "artifact.h"
#include "tensor.h"

namespace resemote_internal {

// What a probe finds.
struct BackendInfo {
  bool available = false;
  std::string version;
  std::vector<std::string> devices;  // in the project's words ("cpu", "gpu", "npu", "cuda:0"), best first
  std::string reason;                // why it is not available, and what to do about it
};

// How an artifact is to be loaded.
struct EngineRequest {
  const Artifact& artifact;
  const FileEntry& file;  // of the artifact, in one of the backend's formats
  std::string device;     // one of those the probe listed
  std::string library;    // path of the engine's shared library, or of its folder; empty: searched for
  std::string cache_dir;  // empty: nothing is kept
  int threads;            // 0: the engine decides
};

// A model loaded on a device. Used by one thread at a time. Its destructor releases everything.
class Engine {
 public:
  virtual ~Engine() = default;

  // Computes outputs of a batch; returns when they are in the views' memory. The views fit the artifact's specs, one
  // per spec and in their order. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  virtual void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  // Formats of files it loads, as passports name them, best first.
  virtual std::vector<std::string> formats() const = 0;
  // Never throws because something is missing: that is what it tells.
  virtual BackendInfo probe(const std::string& library) const = 0;
  // What an artifact's passport and this machine say against create(), which is asked after this. Throws Error with
  // RESEMOTE_STATUS_ARTIFACT_MISMATCH.
  virtual void check(const EngineRequest&) const {}
  // Throws Error: BACKEND_UNAVAILABLE, DEVICE_UNAVAILABLE, ARTIFACT_INVALID, ARTIFACT_MISMATCH, BACKEND_FAILED.
  virtual std::unique_ptr<Engine> create(const EngineRequest& request) const = 0;
};

// All backends, in the order in which "auto" asks them; those that were not built say so when probed.
const std::vector<const Backend*>& backends();

// By name; throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT that lists the names there are.
const Backend& find_backend(const std::string& name);

}  // namespace resemote_internal
