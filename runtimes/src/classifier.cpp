#include "classifier.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <system_error>

#include "error.h"
#include "struct_size.h"

namespace resemote_internal {
namespace {

// Memory of one classifier. A board has a few GiB for everything.
constexpr std::uint64_t kMostMib = 512;

std::unique_ptr<DecisionQueue> made_queue(std::size_t depth, std::size_t feed_bytes, std::size_t faces,
                                          std::size_t classes) {
  return std::unique_ptr<DecisionQueue>(depth == 0 ? nullptr : new DecisionQueue(depth, feed_bytes, faces, classes));
}

// `max_faces`, if the classifier's memory is within the limit.
std::size_t affordable(int max_faces, int queue_depth, const Passport& passport) {
  const std::size_t faces = static_cast<std::size_t>(max_faces);
  const std::size_t feed_bytes = Preprocessor(passport.preprocessing).feed_bytes();
  const std::size_t classes = passport.labels.size();
  const std::uint64_t own = faces * (std::uint64_t{feed_bytes} + sizeof(float) * classes);
  const std::uint64_t queue =
      queue_depth == 0 ? 0
                       : DecisionQueue::bytes(static_cast<std::size_t>(queue_depth), feed_bytes, faces, classes);
  const std::uint64_t mib = (own + queue) >> 20;
  if (mib >= kMostMib) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                "max_faces " + std::to_string(max_faces) + " with queue_depth " + std::to_string(queue_depth) +
                    " would take " + std::to_string(mib) + " MiB, as a face's input has " +
                    std::to_string(feed_bytes) + " bytes; a classifier takes less than " + std::to_string(kMostMib) +
                    " MiB, so pass fewer of either");
  }
  return faces;
}

}  // namespace

Classifier::Classifier(std::shared_ptr<Session> session, int max_faces, int queue_depth, Edges edges)
    : session_(std::move(session)),
      max_faces_(affordable(max_faces, queue_depth, session_->passport())),
      classes_(session_->passport().labels.size()),
      preprocessor_(session_->passport().preprocessing, edges),
      feed_((preprocessor_.feed_bytes() * max_faces_ + 3) / 4),
      probabilities_(max_faces_ * classes_),
      queue_(made_queue(static_cast<std::size_t>(queue_depth), preprocessor_.feed_bytes(), max_faces_, classes_)) {}

Classifier::~Classifier() {
  close();
  if (thread_.joinable()) thread_.join();
}

void Classifier::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  if (queue_) queue_->close();
}

void Classifier::check_boxes(const resemote_box* boxes, std::size_t count) const {
  if (count > max_faces_) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::to_string(count) + " boxes, the classifier was created for " +
                                                      std::to_string(max_faces_) +
                                                      "; pass fewer, or a larger max_faces at creation");
  }
  if (count > 0 && boxes == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "the boxes are null");
}

void Classifier::decide(const void* feed, std::size_t count, resemote_decision* decisions, float* probabilities) {
  const Passport& passport = session_->passport();
  const std::size_t largest =
      passport.batch_max == 0 ? count : std::min(count, static_cast<std::size_t>(passport.batch_max));
  const std::size_t parts = count == 0 ? 0 : (count + largest - 1) / largest;
  const char* const bytes = static_cast<const char*>(feed);
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = count * part / parts, end = count * (part + 1) / parts;
    session_->run_batch(bytes + preprocessor_.feed_bytes() * first, static_cast<std::int64_t>(end - first),
                        probabilities + classes_ * first);
  }
  for (std::size_t i = 0; i < count; ++i) {
    float* const row = probabilities + i * classes_;
    if (!std::all_of(row, row + classes_, [](float value) { return std::isfinite(value); })) {
      throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                  session_->artifact().folder() + ": " + session_->backend() + " on " + session_->device() +
                      " gives NaN or Inf; run the self-test, and export for this machine");
    }
    if (!passport.gives_probabilities()) softmax(row, classes_, row);
    const float* const best = std::max_element(row, row + classes_);
    decisions[i] = {static_cast<std::int32_t>(best - row), *best};
  }
}

void Classifier::classify(const resemote_frame& frame, const resemote_box* boxes, std::size_t count,
                          resemote_decision* decisions, float* probabilities) {
  check_boxes(boxes, count);
  if (count > 0 && decisions == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "the decisions are null");
  const std::lock_guard<std::mutex> lock(mutex_);
  preprocessor_.run(frame, boxes, count, feed_.data());
  decide(feed_.data(), count, decisions, probabilities_.data());
  if (probabilities != nullptr) std::copy_n(probabilities_.data(), count * classes_, probabilities);
}

void Classifier::preprocess(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, void* feed,
                            std::size_t feed_bytes) {
  check_boxes(boxes, count);
  const std::size_t wanted = preprocessor_.feed_bytes() * count;
  if (feed_bytes != wanted || (feed == nullptr && count > 0)) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "the feed of " + std::to_string(count) + " faces has " +
                                                      std::to_string(wanted) + " bytes, room for " +
                                                      std::to_string(feed == nullptr ? 0 : feed_bytes) + " was given");
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  preprocessor_.run(frame, boxes, count, feed);
}

DecisionQueue& Classifier::running_queue() {
  if (closed_) throw Error(RESEMOTE_STATUS_CLOSED, "this classifier was destroyed; open a new one");
  if (!queue_) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                "this classifier has no queue; create it with a queue_depth of at least 1");
  }
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread(&Classifier::work, this);
    } catch (const std::system_error& error) {
      throw Error(RESEMOTE_STATUS_OUT_OF_MEMORY,
                  std::string("the classifier's thread cannot be started (") + error.what() + "); end other threads");
    }
  }
  return *queue_;
}

void Classifier::submit(const resemote_frame& frame, const resemote_box* boxes, std::size_t count, std::uint64_t tag) {
  check_boxes(boxes, count);
  const std::lock_guard<std::mutex> lock(mutex_);
  DecisionQueue& line = running_queue();
  Submission* const submission = line.take_empty();
  try {
    preprocessor_.run(frame, boxes, count, submission->feed.data());
  } catch (...) {
    line.put_back(submission);
    throw;
  }
  submission->tag = tag;
  submission->timestamp_ns =
      taken(&frame, "resemote_frame", resemote_frame RESEMOTE_FRAME_INIT, kLeastFrame).timestamp_ns;
  submission->count = count;
  line.submit(submission);
}

void Classifier::work() {
  while (Submission* const submission = queue_->next()) {
    submission->status = guarded([&] {
      decide(submission->feed.data(), submission->count, submission->decisions.data(),
             submission->probabilities.data());
    });
    std::strncpy(submission->message, submission->status == RESEMOTE_STATUS_OK ? "" : last_failure(),
                 sizeof submission->message - 1);
    queue_->finish(submission);
  }
}

bool Classifier::poll(std::int32_t timeout_ms, resemote_result& result, resemote_decision* decisions,
                      float* probabilities) {
  if (decisions == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "the decisions are null");
  if (!queue_) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                "this classifier has no queue; create it with a queue_depth of at least 1");
  }
  return queue_->fetch(timeout_ms, [&](const Submission& found, std::uint64_t dropped, std::size_t pending) {
    result.tag = found.tag;
    result.box_count = found.count;
    result.dropped = dropped;
    result.status = found.status;
    result.timestamp_ns = found.timestamp_ns;
    result.pending = pending;
    if (found.status == RESEMOTE_STATUS_OK) {
      std::copy_n(found.decisions.data(), found.count, decisions);
      if (probabilities != nullptr) std::copy_n(found.probabilities.data(), found.count * classes_, probabilities);
    } else {
      remember_failure(found.status, found.message);
    }
  });
}

}  // namespace resemote_internal
