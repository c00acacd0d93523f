// Backend and Engine: the interface of an inference engine. It has four verbs: probe, create, run, destroy.
//
// Each engine has a folder under backends/. A backend looks for its shared library when it is first needed, so one
// binary runs with or without it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "artifact.h"
#include "observer.h"
#include "tensor.h"

namespace resemote_internal {

// Result of a probe.
struct BackendInfo {
  bool available = false;
  std::string version;
  std::vector<std::string> devices;  // names of the project ("cpu", "gpu", "npu", "cuda:0"), best first
  std::string reason;                // why it is not available, and what to do about it
};

// Where engines that were built on this machine are kept.
struct CacheChoice {
  bool given = false;  // the caller has named a folder, or with an empty name none
  std::string folder;
};

// A request to load an artifact.
struct EngineRequest {
  const Artifact& artifact;
  const FileEntry& file;  // file of the artifact, in one of the backend's formats
  std::string device;     // one of the devices that the probe listed
  std::string library;    // path of the engine's shared library or its folder; empty: search for it
  CacheChoice cache;
  int threads;  // 0: the engine decides
  const Observer& observer;
  int workspace_mib;  // 0: the backend decides
};

// A model loaded on a device. One thread at a time may use it. Its destructor releases everything.
class Engine {
 public:
  virtual ~Engine() = default;

  // Computes the outputs of a batch, and returns when they are in the views' memory. There is one view per spec of the
  // artifact, in the same order, and it fits the spec. Throws Error with RESEMOTE_STATUS_BACKEND_FAILED.
  virtual void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) = 0;

  // Where it came from, in words: "loaded", "built in 214 s", "from the cache".
  virtual std::string origin() const { return "loaded"; }
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  // Formats of files that it loads, as passports name them, best first.
  virtual std::vector<std::string> formats() const = 0;
  // Reports what is missing, and never throws because of it.
  virtual BackendInfo probe(const std::string& library) const = 0;
  // What an artifact's passport and this machine say against create(), which is asked after this. Throws Error with
  // RESEMOTE_STATUS_ARTIFACT_MISMATCH, or INVALID_ARGUMENT for an option that it cannot serve.
  virtual void check(const EngineRequest&) const {}
  // Throws Error: BACKEND_UNAVAILABLE, DEVICE_UNAVAILABLE, ARTIFACT_INVALID, ARTIFACT_MISMATCH, BACKEND_FAILED, CANCELLED.
  virtual std::unique_ptr<Engine> create(const EngineRequest& request) const = 0;
};

// All backends, in the order in which "auto" tries them. A backend that was not built says so when probed.
const std::vector<const Backend*>& backends();

// Backend of this name. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT, which lists the known names.
const Backend& find_backend(const std::string& name);

}  // namespace resemote_internal
