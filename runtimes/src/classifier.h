// Classifier: takes frames with boxes and returns decisions, at once or later.
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "decision_queue.h"
#include "preprocessing.h"
#include "session.h"

namespace resemote_internal {

class Classifier {
 public:
  Classifier(std::shared_ptr<Session> session, int max_faces, int queue_depth, Edges edges);
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  const std::shared_ptr<Session>& session() const { return session_; }

  // The C functions of the same names. All throw Error.
  void classify(const resemote_frame& frame, const resemote_box* boxes, std::size_t count,
                resemote_decision* decisions, float* probabilities);
  void preprocess(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, void* feed,
                  std::size_t feed_bytes);
  void submit(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, std::uint64_t tag);
  // Returns whether there was a result.
  bool poll(std::int32_t timeout_ms, resemote_result& result, resemote_decision* decisions, float* probabilities);

  // Wakes other threads that wait. They get RESEMOTE_STATUS_CLOSED.
  void close();

 private:
  // Computes `count` faces, in as few batches as the artifact allows. Outputs are written to `probabilities` too.
  void decide(const void* feed, std::size_t count, resemote_decision* decisions, float* probabilities);
  void check_boxes(const resemote_box* boxes, std::size_t count) const;
  // The queue, with its thread running. Throws Error if there is none.
  DecisionQueue& running_queue();
  void work();

  const std::shared_ptr<Session> session_;
  const std::size_t max_faces_;
  const std::size_t classes_;
  std::mutex mutex_;  // guards what follows; not held while the thread computes
  Preprocessor preprocessor_;
  std::vector<float> feed_;
  std::vector<float> probabilities_;
  // Made with the classifier, so that its memory is there or refused from the start. Null if the depth is 0.
  const std::unique_ptr<DecisionQueue> queue_;
  // Started by the first submission, so that a caller who never submits has no thread.
  std::thread thread_;
  bool closed_ = false;
};

}  // namespace resemote_internal
