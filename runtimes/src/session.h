// Session: an artifact loaded on a device by a backend.
#pragma once

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
  std::string cache_dir;
  int threads = 0;
};

class Session {
 public:
  // Throws Error of any family.
  Session(const std::string& artifact, const SessionOptions& options);

  const Artifact& artifact() const { return artifact_; }
  const Passport& passport() const { return artifact_.passport(); }
  const std::string& backend() const { return backend_; }
  const std::string& device() const { return device_; }
  const FileEntry& file() const { return *file_; }

  // A session that belongs to a classifier must not be destroyed by itself.
  bool owned_by_classifier() const { return owned_by_classifier_; }
  void set_owned_by_classifier() { owned_by_classifier_ = true; }

  // Checks names, dtypes, shapes, sizes and the batch size, then computes. If two threads call it, one waits.
  void run(const resemote_tensor* inputs, std::size_t input_count, const resemote_tensor* outputs,
           std::size_t output_count);

  // Computes the one output from the one input, both dense. `feed` is not written.
  void run_batch(const void* feed, std::int64_t batch, float* output);

 private:
  void open_with(const Backend& backend, const SessionOptions& options);
  void check_batch(std::int64_t batch) const;

  Artifact artifact_;
  std::string backend_;
  std::string device_;
  const FileEntry* file_ = nullptr;
  bool owned_by_classifier_ = false;
  std::unique_ptr<Engine> engine_;
  std::mutex mutex_;
  // Kept between calls, so that a call allocates no memory.
  std::vector<TensorView> inputs_;
  std::vector<TensorView> outputs_;
};

// Computes the probabilities of a row of logits, in double. `probabilities` may be the same row.
void softmax(const float* logits, std::size_t classes, float* probabilities);

}  // namespace resemote_internal
