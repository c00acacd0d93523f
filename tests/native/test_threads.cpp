// For ThreadSanitizer above all.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "made_artifact.h"
#include "resemote/runtime.h"

TEST_CASE("eight threads with a session each and one artifact, ten thousand calls") {
  const MadeArtifact made("gray-u8");
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&made, &failures, t] {
      resemote_session* session = nullptr;
      failures += resemote_session_create(made.path(), nullptr, &session) != RESEMOTE_STATUS_OK;
      std::vector<std::uint8_t> feed(64 * 64, static_cast<std::uint8_t>(t));
      float logits[3], first[3] = {};
      const resemote_tensor input = {"input", feed.data(), feed.size(), RESEMOTE_DTYPE_UINT8, 4, {1, 64, 64, 1}};
      const resemote_tensor output = {"logits", logits, sizeof logits, RESEMOTE_DTYPE_FLOAT32, 2, {1, 3}};
      for (int i = 0; i < 1250; ++i) {
        failures += resemote_session_run(session, &input, 1, &output, 1) != RESEMOTE_STATUS_OK;
        if (i == 0) std::copy(logits, logits + 3, first);
        failures += !std::equal(logits, logits + 3, first);
      }
      failures += resemote_session_destroy(session) != RESEMOTE_STATUS_OK;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
}

TEST_CASE("eight threads that share one session each get their own answer") {
  const MadeArtifact made("gray-u8");
  resemote_session* session = nullptr;
  REQUIRE(resemote_session_create(made.path(), nullptr, &session) == RESEMOTE_STATUS_OK);
  const auto run = [session](std::vector<std::uint8_t>& feed, float* logits) {
    const resemote_tensor input = {"input", feed.data(), feed.size(), RESEMOTE_DTYPE_UINT8, 4, {1, 64, 64, 1}};
    const resemote_tensor output = {"logits", logits, 3 * sizeof *logits, RESEMOTE_DTYPE_FLOAT32, 2, {1, 3}};
    return resemote_session_run(session, &input, 1, &output, 1);
  };
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&failures, &run, t] {
      std::vector<std::uint8_t> feed(64 * 64, static_cast<std::uint8_t>(20 * t));
      float logits[3], first[3] = {};
      for (int i = 0; i < 1250; ++i) {
        failures += run(feed, logits) != RESEMOTE_STATUS_OK;
        if (i == 0) std::copy(logits, logits + 3, first);
        failures += !std::equal(logits, logits + 3, first);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(resemote_session_destroy(session) == RESEMOTE_STATUS_OK);
}

TEST_CASE("a forked process is told to open its own, and may") {
  const MadeArtifact made("gray-u8");
  resemote_session* session = nullptr;
  REQUIRE(resemote_session_create(made.path(), nullptr, &session) == RESEMOTE_STATUS_OK);
  resemote_classifier* classifier = nullptr;
  REQUIRE(resemote_classifier_create(made.path(), nullptr, nullptr, &classifier) == RESEMOTE_STATUS_OK);
  const pid_t child = fork();
  if (child == 0) {
    resemote_session_info info = {};
    info.struct_size = sizeof info;
    resemote_session* own = nullptr;
    const bool right = resemote_session_get_info(session, &info) == RESEMOTE_STATUS_CLOSED &&
                       std::string(resemote_last_error()).find("forked") != std::string::npos &&
                       resemote_session_destroy(session) == RESEMOTE_STATUS_CLOSED &&
                       resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_CLOSED &&
                       resemote_session_create(made.path(), nullptr, &own) == RESEMOTE_STATUS_OK &&
                       resemote_session_get_info(own, &info) == RESEMOTE_STATUS_OK;
    _exit(right ? 7 : 8);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_OK);
  CHECK(resemote_session_destroy(session) == RESEMOTE_STATUS_OK);
}

TEST_CASE("a classifier destroyed while another thread waits or computes ends both cleanly") {
  const MadeArtifact made("gray-u8");
  const std::vector<std::uint8_t> pixels(64 * 64, 100);
  resemote_frame frame;
  resemote_frame_init(&frame);
  frame.width = frame.height = 64;
  frame.data = pixels.data();
  const resemote_box box = {0, 0, 64, 64};
  for (int round = 0; round < 20; ++round) {
    resemote_classifier* classifier = nullptr;
    REQUIRE(resemote_classifier_create(made.path(), nullptr, nullptr, &classifier) == RESEMOTE_STATUS_OK);
    std::thread submitting([&] {
      while (resemote_classifier_submit(classifier, &frame, &box, 1, 0) == RESEMOTE_STATUS_OK) {
      }
    });
    std::thread polling([&] {
      resemote_result result = {};
      result.struct_size = sizeof result;
      resemote_decision decisions[16];
      resemote_status status = RESEMOTE_STATUS_OK;
      while (status == RESEMOTE_STATUS_OK || status == RESEMOTE_STATUS_NOT_READY) {
        status = resemote_classifier_poll(classifier, -1, &result, decisions, nullptr);
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_OK);
    submitting.join();
    polling.join();
  }
}

TEST_CASE("one thread submits while another polls, and every frame is fetched or counted") {
  const MadeArtifact made("gray-u8");
  resemote_classifier* classifier = nullptr;
  REQUIRE(resemote_classifier_create(made.path(), nullptr, nullptr, &classifier) == RESEMOTE_STATUS_OK);
  constexpr std::uint64_t kFrames = 2000;
  std::atomic<int> failures{0};
  std::thread submitting([&] {
    std::vector<std::uint8_t> pixels(64 * 64);
    const resemote_box box = {0, 0, 64, 64};
    for (std::uint64_t tag = 1; tag <= kFrames; ++tag) {
      std::fill(pixels.begin(), pixels.end(), static_cast<std::uint8_t>(tag));
      resemote_frame frame = RESEMOTE_FRAME_INIT;
      frame.width = frame.height = 64;
      frame.data = pixels.data();
      frame.timestamp_ns = tag * 1000;
      failures += resemote_classifier_submit(classifier, &frame, &box, 1, tag) != RESEMOTE_STATUS_OK;
      if (tag % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  // Several pollers, as any thread may poll.
  std::atomic<std::uint64_t> fetched{0}, dropped{0}, newest{0}, not_ready{0};
  std::vector<std::thread> polling;
  for (int t = 0; t < 3; ++t) {
    polling.emplace_back([&] {
      std::uint64_t last = 0;
      while (newest < kFrames) {
        resemote_result result = RESEMOTE_RESULT_INIT;
        resemote_decision decisions[16];
        const resemote_status status = resemote_classifier_poll(classifier, 100, &result, decisions, nullptr);
        if (status == RESEMOTE_STATUS_NOT_READY) {
          ++not_ready;
          continue;
        }
        failures += status != RESEMOTE_STATUS_OK || result.status != RESEMOTE_STATUS_OK;
        failures += result.timestamp_ns != result.tag * 1000 || result.tag <= last || result.box_count != 1;
        last = result.tag;
        ++fetched;
        dropped += result.dropped;
        if (result.tag == kFrames) newest = kFrames;
      }
    });
  }
  submitting.join();
  for (std::thread& thread : polling) thread.join();
  CHECK(failures == 0);
  CHECK(fetched + dropped == kFrames);
  CHECK(not_ready < 100);  // a poll that did not wait would come back many thousand times
  CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_OK);
}

TEST_CASE("threads that no machine has are refused") {
  const MadeArtifact made;
  resemote_session_options options = RESEMOTE_SESSION_OPTIONS_INIT;
  resemote_session* session = nullptr;
  options.threads = GENERATE(-1, 100000);
  CHECK(resemote_session_create(made.path(), &options, &session) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Catch::Contains("4 for each core"));
}
