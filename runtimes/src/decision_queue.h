// DecisionQueue: submissions that wait for the classifier's thread, and results that wait for the caller.
//
// Each has a limit. If one more arrives, the oldest is dropped. All memory is allocated at construction. Any number of
// threads may submit and fetch at the same time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "error.h"
#include "resemote/runtime.h"

namespace resemote_internal {

// A submission, and then its result.
struct Submission {
  std::uint64_t tag = 0;
  std::uint64_t timestamp_ns = 0;  // of the frame
  std::size_t count = 0;
  std::vector<float> feed;           // room for max_faces, aligned for floats
  std::vector<float> probabilities;  // max_faces rows
  std::vector<resemote_decision> decisions;
  resemote_status status = RESEMOTE_STATUS_OK;
  char message[512] = "";  // message of a failure
};

class DecisionQueue {
 public:
  DecisionQueue(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes);

  // Memory that the constructor takes; in 64 bits, as no machine may have it.
  static std::uint64_t bytes(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes);

  // A submission for the caller to fill and pass to `submit` or `put_back`. Never waits.
  Submission* take_empty();
  void put_back(Submission* submission);
  // Drops the oldest waiting submission if the queue is full.
  void submit(Submission* submission);

  // For the thread that computes: waits for the next submission. Returns null once the queue is closed.
  Submission* next();
  void finish(Submission* submission);

  // For callers: waits for the oldest result, and lets `take` copy what it needs, with the number dropped since the last
  // result and the number still on the way. `take` must not throw. Returns false after `timeout_ms` (negative: no limit).
  // Throws Error with RESEMOTE_STATUS_CLOSED once the queue is closed.
  template <typename Take>
  bool fetch(std::int32_t timeout_ms, const Take& take) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto something = [this] { return closed_ || results_.size() > 0; };
    if (timeout_ms < 0) {
      results_changed_.wait(lock, something);
    } else {
      results_changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), something);
    }
    if (closed_) throw Error(RESEMOTE_STATUS_CLOSED, "this classifier was destroyed while a result was waited for");
    if (results_.size() == 0) return false;
    Submission* const found = results_.pop();
    take(*found, dropped_, waiting_.size() + results_.size() + (computing_ ? 1 : 0));
    dropped_ = 0;
    empty_.push(found);
    return true;
  }

  // Wakes all waiting threads. The computation in progress is the last.
  void close();

 private:
  // A first-in, first-out list that allocates no memory.
  class Line {
   public:
    explicit Line(std::size_t capacity) : places_(capacity) {}
    std::size_t size() const { return size_; }
    void push(Submission* submission) { places_[(first_ + size_++) % places_.size()] = submission; }
    Submission* pop() {
      Submission* const submission = places_[first_];
      first_ = (first_ + 1) % places_.size();
      --size_;
      return submission;
    }

   private:
    std::vector<Submission*> places_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
  };

  void push_bounded(Line& line, Submission* submission);

  const std::size_t depth_;
  std::vector<Submission> all_;
  std::mutex mutex_;
  std::condition_variable waiting_changed_;
  std::condition_variable results_changed_;
  Line empty_;
  Line waiting_;
  Line results_;
  bool computing_ = false;
  bool closed_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace resemote_internal
