// Classifier: frames with boxes in, decisions out, at once or later.
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
  Classifier(std::shared_ptr<Session> session, int max_faces, int queue_depth);
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  const std::shared_ptr<Session>& session() const { return session_; }

  // As the C functions of these names; all throw Error.
  void classify(const resemote_frame& frame, const resemote_box* boxes, std::size_t count,
                resemote_decision* decisions, float* probabilities);
  void preprocess(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, void* feed,
                  std::size_t feed_bytes);
  void submit(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, std::uint64_t tag);
  // Whether there was a result.
  bool poll(std::int32_t timeout_ms, resemote_result& result, resemote_decision* decisions, float* probabilities);

  // Ends the waiting of other threads, with RESEMOTE_STATUS_CLOSED for them.
  void close();

 private:
  // Computes `count` faces, in as few batches as the artifact allows; `probabilities` is where outputs go as well.
  void decide(const void* feed, std::size_t count, resemote_decision* decisions, float* probabilities);
  void check_boxes(const resemote_box* boxes, std::size_t count) const;
  DecisionQueue& queue();
  void work();

  const std::shared_ptr<Session> session_;
  const std::size_t max_faces_;
  const std::size_t queue_depth_;
  const std::size_t classes_;
  std::mutex mutex_;  // of what follows; not held while the thread computes
  Preprocessor preprocessor_;
  std::vector<float> feed_;
  std::vector<float> probabilities_;
  // Made by the first submission, so that who never submits pays for none.
  std::unique_ptr<DecisionQueue> queue_;
  std::thread thread_;
  bool closed_ = false;
};

}  // namespace resemote_internal
