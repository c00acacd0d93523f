// DecisionQueue: submissions that wait for the classifier's thread, and results that wait for the caller.
//
// Each has a limit. If one more arrives, the oldest is dropped. All memory is allocated at construction.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "resemote/runtime.h"

namespace resemote_internal {

// A submission, and then its result.
struct Submission {
  std::uint64_t tag = 0;
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

  // A submission for the caller to fill and pass to `submit` or `put_back`. Never waits.
  Submission* take_empty();
  void put_back(Submission* submission);
  // Drops the oldest waiting submission if the queue is full.
  void submit(Submission* submission);

  // For the thread that computes: waits for the next submission. Returns null once the queue is closed.
  Submission* next();
  void finish(Submission* submission);

  // For the caller: waits for the oldest result, which must be put back. Returns null after `timeout_ms` (negative: no
  // limit), or at once if nothing is in progress. `dropped`: number dropped since the last result. Throws Error with
  // RESEMOTE_STATUS_CLOSED once the queue is closed.
  Submission* result(std::int32_t timeout_ms, std::uint64_t& dropped);

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
