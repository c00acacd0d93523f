#include <catch2/catch.hpp>
#include <thread>

#include "decision_queue.h"
#include "error.h"

using resemote_internal::DecisionQueue;
using resemote_internal::Submission;

namespace {

void submit(DecisionQueue& queue, std::uint64_t tag) {
  Submission* const submission = queue.take_empty();
  submission->tag = tag;
  queue.submit(submission);
}

}  // namespace

TEST_CASE("submissions are computed in turn, and the oldest goes when too many wait") {
  DecisionQueue queue(2, 16, 1, 3);
  for (std::uint64_t tag = 1; tag <= 5; ++tag) submit(queue, tag);
  std::uint64_t dropped = 0;
  for (const std::uint64_t tag : {4u, 5u}) {
    Submission* const next = queue.next();
    CHECK(next->tag == tag);
    queue.finish(next);
  }
  Submission* result = queue.result(0, dropped);
  REQUIRE(result != nullptr);
  CHECK(result->tag == 4);
  CHECK(dropped == 3);
  queue.put_back(result);
  result = queue.result(0, dropped);
  CHECK(result->tag == 5);
  CHECK(dropped == 0);
  queue.put_back(result);
  CHECK(queue.result(0, dropped) == nullptr);
}

TEST_CASE("results that nobody fetches are dropped, the oldest first") {
  DecisionQueue queue(2, 16, 1, 3);
  for (std::uint64_t tag = 1; tag <= 4; ++tag) {
    submit(queue, tag);
    queue.finish(queue.next());
  }
  std::uint64_t dropped = 0;
  Submission* const result = queue.result(0, dropped);
  CHECK(result->tag == 3);
  CHECK(dropped == 2);
  queue.put_back(result);
}

TEST_CASE("there is always an empty one, whatever waits on either side") {
  DecisionQueue queue(1, 16, 1, 3);
  for (std::uint64_t tag = 0; tag < 100; ++tag) {
    submit(queue, tag);
    if (tag % 3 == 0) queue.finish(queue.next());
  }
  SUCCEED();
}

TEST_CASE("a wait ends when nothing is under way, and when the queue is closed") {
  DecisionQueue queue(2, 16, 1, 3);
  std::uint64_t dropped = 0;
  CHECK(queue.result(-1, dropped) == nullptr);
  submit(queue, 1);
  std::thread closer([&queue] { queue.close(); });
  CHECK_THROWS_AS(queue.result(-1, dropped), resemote_internal::Error);
  closer.join();
  CHECK(queue.next() == nullptr);
}
