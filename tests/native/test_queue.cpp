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

// A result, copied.
struct Fetched {
  bool found = false;
  std::uint64_t tag = 0, dropped = 0;
  std::size_t pending = 0;
};

Fetched fetch(DecisionQueue& queue, std::int32_t timeout_ms = 0) {
  Fetched fetched;
  fetched.found = queue.fetch(timeout_ms, [&](const Submission& result, std::uint64_t dropped, std::size_t pending) {
    fetched.tag = result.tag;
    fetched.dropped = dropped;
    fetched.pending = pending;
  });
  return fetched;
}

}  // namespace

TEST_CASE("submissions are computed in turn, and the oldest goes when too many wait") {
  DecisionQueue queue(2, 16, 1, 3);
  for (std::uint64_t tag = 1; tag <= 5; ++tag) submit(queue, tag);
  for (const std::uint64_t tag : {4u, 5u}) {
    Submission* const next = queue.next();
    CHECK(next->tag == tag);
    queue.finish(next);
  }
  submit(queue, 6);
  Fetched result = fetch(queue);
  REQUIRE(result.found);
  CHECK(result.tag == 4);
  CHECK(result.dropped == 3);
  CHECK(result.pending == 2);
  result = fetch(queue);
  CHECK(result.tag == 5);
  CHECK(result.dropped == 0);
  CHECK(result.pending == 1);
  CHECK_FALSE(fetch(queue).found);
}

TEST_CASE("results that nobody fetches are dropped, the oldest first") {
  DecisionQueue queue(2, 16, 1, 3);
  for (std::uint64_t tag = 1; tag <= 4; ++tag) {
    submit(queue, tag);
    queue.finish(queue.next());
  }
  const Fetched result = fetch(queue);
  CHECK(result.tag == 3);
  CHECK(result.dropped == 2);
}

TEST_CASE("there is always an empty one, whatever waits on either side") {
  DecisionQueue queue(1, 16, 1, 3);
  for (std::uint64_t tag = 0; tag < 100; ++tag) {
    submit(queue, tag);
    if (tag % 3 == 0) queue.finish(queue.next());
  }
  SUCCEED();
}

TEST_CASE("a wait lasts as long as asked for, also if nothing was submitted, and ends when the queue is closed") {
  DecisionQueue queue(2, 16, 1, 3);
  const auto began = std::chrono::steady_clock::now();
  CHECK_FALSE(fetch(queue, 50).found);
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(50));
  submit(queue, 1);
  std::thread computer([&queue] { queue.finish(queue.next()); });
  CHECK(fetch(queue, -1).tag == 1);
  computer.join();
  std::thread closer([&queue] { queue.close(); });
  CHECK_THROWS_AS(fetch(queue, -1), resemote_internal::Error);
  closer.join();
  CHECK(queue.next() == nullptr);
}

TEST_CASE("the memory of a queue is known before it is taken") {
  CHECK(DecisionQueue::bytes(1, 49152, 16, 7) > 4 * 16 * 49152);
  CHECK(DecisionQueue::bytes(1, 49152, 16, 7) < 5 * 16 * 49152);
  CHECK(DecisionQueue::bytes(4096, 49152, 4096, 7) > std::uint64_t{1} << 40);
}
