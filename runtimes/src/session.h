// Session: an artifact loaded on a device by a backend.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artifact.h"
#include "backend.h"
#include "resemote/runtime.h"

namespace resemote_internal {

// Options of a session: the C struct with defaults in place of nulls.
struct SessionOptions {
  std::string backend = "auto";
  std::string device = "auto";
  std::string library;
  CacheChoice cache;
  int threads = 0;
  Observer observer;
  int workspace_mib = 0;
};

// What an artifact runs in.
struct Choice {
  const Backend* backend = nullptr;
  const FileEntry* file = nullptr;  // of the artifact
  std::string device;               // never "auto"
  std::string skipped;              // why each backend that was asked before cannot run it; empty where none was
};

// The backend that the options name, or for "auto" the first that can run the artifact here, as far as its passport and
// the probes tell; `take`, where there is one, loads it, and may refuse. Throws Error of any family.
Choice choose_backend(const Artifact& artifact, const SessionOptions& options,
                      const std::function<void(const EngineRequest&, const Backend&)>& take = nullptr);

class Session {
 public:
  // Throws Error of any family.
  Session(const std::string& artifact, const SessionOptions& options);

  const Artifact& artifact() const { return artifact_; }
  const Passport& passport() const { return artifact_.passport(); }
  const char* backend() const { return choice_.backend->name(); }
  const std::string& device() const { return choice_.device; }
  const FileEntry& file() const { return *choice_.file; }
  const std::string& engine_origin() const { return engine_origin_; }

  // A session that belongs to a classifier must not be destroyed by itself.
  bool owned_by_classifier() const { return owned_by_classifier_; }
  void set_owned_by_classifier() { owned_by_classifier_ = true; }

  // Checks names, dtypes, shapes, sizes and the batch size, then computes. If two threads call it, one waits.
  void run(const resemote_tensor* inputs, std::size_t input_count, const resemote_tensor* outputs,
           std::size_t output_count);

  // Computes the one output from the one input, both dense. `feed` is not written.
  void run_batch(const void* feed, std::int64_t batch, float* output);

  // Computes all outputs of a detector, one after the other in the passport's order, from its one input.
  void run_picture(const void* feed, float* outputs);

 private:
  void check_batch(std::int64_t batch) const;

  Artifact artifact_;
  std::unique_ptr<Engine> engine_;
  Choice choice_;
  std::string engine_origin_;
  bool owned_by_classifier_ = false;
  std::mutex mutex_;
  // Kept between calls, so that a call allocates no memory.
  std::vector<TensorView> inputs_;
  std::vector<TensorView> outputs_;
};

// Computes the probabilities of a row of logits, in double. `probabilities` may be the same row.
void softmax(const float* logits, std::size_t classes, float* probabilities);

}  // namespace resemote_internal
