#include "decision_queue.h"

namespace resemote_internal {
namespace {

// Besides those that wait on either side, one is filled and one is computed.
std::size_t submissions(std::size_t depth) { return 2 * depth + 2; }

}  // namespace

std::uint64_t DecisionQueue::bytes(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes) {
  const std::uint64_t face = std::uint64_t{feed_bytes} + sizeof(float) * classes + sizeof(resemote_decision);
  return submissions(depth) * (face * faces + sizeof(Submission));
}

DecisionQueue::DecisionQueue(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes)
    : depth_(depth),
      all_(submissions(depth)),
      empty_(submissions(depth)),
      waiting_(submissions(depth)),
      results_(submissions(depth)) {
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

void DecisionQueue::close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  waiting_changed_.notify_all();
  results_changed_.notify_all();
}

}  // namespace resemote_internal
