#include "decision_queue.h"

#include <chrono>

#include "error.h"

namespace resemote_internal {

// Besides those that wait on either side, one is filled, one is computed and one is read.
DecisionQueue::DecisionQueue(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes)
    : depth_(depth),
      all_(2 * depth + 3),
      empty_(2 * depth + 3),
      waiting_(2 * depth + 3),
      results_(2 * depth + 3) {
  for (Submission& submission : all_) {
    submission.feed.resize((feed_bytes * faces + 3) / 4);
    submission.probabilities.resize(faces * classes);
    submission.decisions.resize(faces);
    empty_.push(&submission);
  }
}

Submission* DecisionQueue::take_empty() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return empty_.pop();
}

void DecisionQueue::put_back(Submission* submission) {
  const std::lock_guard<std::mutex> lock(mutex_);
  empty_.push(submission);
}

void DecisionQueue::push_bounded(Line& line, Submission* submission) {
  if (line.size() == depth_) {
    empty_.push(line.pop());
    ++dropped_;
  }
  line.push(submission);
}

void DecisionQueue::submit(Submission* submission) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    push_bounded(waiting_, submission);
  }
  waiting_changed_.notify_one();
}

Submission* DecisionQueue::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  waiting_changed_.wait(lock, [this] { return closed_ || waiting_.size() > 0; });
  if (closed_) return nullptr;
  computing_ = true;
  return waiting_.pop();
}

void DecisionQueue::finish(Submission* submission) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    computing_ = false;
    push_bounded(results_, submission);
  }
  results_changed_.notify_all();
}

Submission* DecisionQueue::result(std::int32_t timeout_ms, std::uint64_t& dropped) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto something = [this] {
    return closed_ || results_.size() > 0 || (waiting_.size() == 0 && !computing_);
  };
  if (timeout_ms < 0) {
    results_changed_.wait(lock, something);
  } else {
    results_changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), something);
  }
  if (closed_) throw Error(RESEMOTE_STATUS_CLOSED, "this classifier was destroyed while a result was waited for");
  if (results_.size() == 0) return nullptr;
  dropped = dropped_;
  dropped_ = 0;
  return results_.pop();
}

void DecisionQueue::close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  waiting_changed_.notify_all();
  results_changed_.notify_all();
}

}  // namespace resemote_internal
