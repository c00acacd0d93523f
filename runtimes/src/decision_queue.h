// DecisionQueue: submissions that wait for the classifier's thread, and results that wait for the caller.
//
// Both hold so many at most; when one more comes, the oldest goes. All memory is taken at construction.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "resemote/runtime.h"

namespace resemote_internal {

// A submission on its way, and what became of it.
struct Submission {
  std::uint64_t tag = 0;
  std::size_t count = 0;
  std::vector<float> feed;           // of max_faces, aligned for floats
  std::vector<float> probabilities;  // max_faces rows
  std::vector<resemote_decision> decisions;
  resemote_status status = RESEMOTE_STATUS_OK;
  char message[512] = "";  // of a failure
};

class DecisionQueue {
 public:
  DecisionQueue(std::size_t depth, std::size_t feed_bytes, std::size_t faces, std::size_t classes);

  // A submission to fill; to be given to `submit` or `put_back`. Never waits.
  Submission* take_empty();
  void put_back(Submission* submission);
  // Drops the oldest that waits where there are as many as may.
  void submit(Submission* submission);

  // For the thread that computes: the next submission, or null once the queue is closed.
  Submission* next();
  void finish(Submission* submission);

  // For the caller: the oldest result, to be put back; null after `timeout_ms` (negative: no limit), or at once when
  // nothing is under way. `dropped`: how many were dropped since the last result. Throws Error with
  // RESEMOTE_STATUS_CLOSED once the queue is closed.
  Submission* result(std::int32_t timeout_ms, std::uint64_t& dropped);

  // Wakes everybody; nothing is computed after what is being computed.
  void close();

 private:
  // A first-in, first-out list that takes no memory.
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
