#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <thread>

#include "allocations.h"
#include "echo_backend.h"
#include "made_artifact.h"
#include "resemote/runtime.hpp"

using Catch::Contains;

namespace {

struct Opened {
  explicit Opened(const MadeArtifact& made, std::int32_t faces = 8, std::int32_t depth = 2) {
    resemote_classifier_options options;
    resemote_classifier_options_init(&options);
    options.max_faces = faces;
    options.queue_depth = depth;
    REQUIRE(resemote_classifier_create(made.path(), nullptr, &options, &handle) == RESEMOTE_STATUS_OK);
  }
  ~Opened() { resemote_classifier_destroy(handle); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  resemote_classifier* handle = nullptr;
};

// A BGR picture with something in it.
struct Picture {
  Picture(std::int32_t width, std::int32_t height) : pixels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 2654435761u >> 24);
    resemote_frame_init(&frame);
    frame.format = RESEMOTE_PIXEL_BGR24;
    frame.width = width;
    frame.height = height;
    frame.data = pixels.data();
  }
  std::vector<std::uint8_t> pixels;
  resemote_frame frame;
};

const resemote_box kBoxes[] = {{0, 0, 64, 64}, {100, 50, 80, 90}, {-10, -10, 60, 60}, {300, 220, 100, 100}};

// Waits for a result.
resemote_status poll(const Opened& classifier, resemote_result& result, resemote_decision* decisions) {
  result = resemote_result();
  result.struct_size = sizeof result;
  return resemote_classifier_poll(classifier.handle, -1, &result, decisions, nullptr);
}

}  // namespace

TEST_CASE("decisions are the best of probabilities that sum to one") {
  const MadeArtifact made(GENERATE("tensor", "gray-u8", "rgb-u8", "bgr-u8"));
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_decision decisions[4];
  float probabilities[12];
  REQUIRE(resemote_classifier_classify(classifier.handle, &picture.frame, kBoxes, 4, decisions, probabilities) ==
          RESEMOTE_STATUS_OK);
  for (int i = 0; i < 4; ++i) {
    const float* const row = probabilities + 3 * i;
    CHECK(std::accumulate(row, row + 3, 0.0F) == Approx(1.0));
    CHECK(decisions[i].label == std::max_element(row, row + 3) - row);
    CHECK(decisions[i].score == row[decisions[i].label]);
  }
  // One by one they are the same: the echo backend's rows do not know of each other.
  for (int i = 0; i < 4; ++i) {
    resemote_decision alone;
    REQUIRE(resemote_classifier_classify(classifier.handle, &picture.frame, kBoxes + i, 1, &alone, nullptr) ==
            RESEMOTE_STATUS_OK);
    CHECK(alone.label == decisions[i].label);
    CHECK(alone.score == decisions[i].score);
  }
}

TEST_CASE("more faces than a batch holds go in several") {
  MadeArtifact made;
  made.passport["batch"]["max"] = 3;
  made.write_passport();
  const Opened classifier(made);
  const MadeArtifact without_limit;
  const Opened other(without_limit);
  const Picture picture(320, 240);
  std::vector<resemote_box> boxes;
  for (int i = 0; i < 8; ++i) boxes.push_back({i * 20, i * 10, 40 + i, 50});
  std::vector<resemote_decision> got(8), want(8);
  REQUIRE(resemote_classifier_classify(classifier.handle, &picture.frame, boxes.data(), 8, got.data(), nullptr) ==
          RESEMOTE_STATUS_OK);
  REQUIRE(resemote_classifier_classify(other.handle, &picture.frame, boxes.data(), 8, want.data(), nullptr) ==
          RESEMOTE_STATUS_OK);
  for (std::size_t i = 0; i < 8; ++i) CHECK(got[i].score == want[i].score);
}

TEST_CASE("a call takes no memory after the first") {
  const MadeArtifact made(GENERATE("tensor", "bgr-u8"));
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_decision decisions[4];
  float probabilities[12];
  REQUIRE(resemote_classifier_classify(classifier.handle, &picture.frame, kBoxes, 4, decisions, probabilities) == 0);
  const long before = allocations();
  for (std::int32_t step = 0; step < 20; ++step) {
    resemote_box boxes[4];
    for (int i = 0; i < 4; ++i) boxes[i] = {kBoxes[i].x + step, kBoxes[i].y + step, 20 + step * 5 + i, 30 + step * 3};
    boxes[3] = {10, 10, 20 + step, 20};
    if (resemote_classifier_classify(classifier.handle, &picture.frame, boxes, static_cast<std::size_t>(1 + step % 4), decisions, probabilities) !=
        RESEMOTE_STATUS_OK) {
      FAIL(resemote_last_error());
    }
  }
  CHECK(allocations() - before == 0);
}

TEST_CASE("a submission takes no memory after the first") {
  const MadeArtifact made;
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_decision decisions[8];
  resemote_result result;
  long before = 0;
  for (std::uint64_t tag = 0; tag < 20; ++tag) {
    if (tag == 1) before = allocations();
    const resemote_status submitted = resemote_classifier_submit(classifier.handle, &picture.frame, kBoxes, 4, tag);
    const resemote_status polled = poll(classifier, result, decisions);
    if (submitted != RESEMOTE_STATUS_OK || polled != RESEMOTE_STATUS_OK || result.tag != tag) FAIL(resemote_last_error());
  }
  CHECK(allocations() - before == 0);
}

TEST_CASE("what is submitted is decided as at once, and the frame may change at once") {
  const MadeArtifact made;
  const Opened classifier(made);
  Picture picture(320, 240);
  resemote_decision want[4], got[8];
  REQUIRE(resemote_classifier_classify(classifier.handle, &picture.frame, kBoxes, 4, want, nullptr) == 0);
  REQUIRE(resemote_classifier_submit(classifier.handle, &picture.frame, kBoxes, 4, 42) == 0);
  std::fill(picture.pixels.begin(), picture.pixels.end(), std::uint8_t{0});
  resemote_result result;
  REQUIRE(poll(classifier, result, got) == RESEMOTE_STATUS_OK);
  CHECK(result.tag == 42);
  CHECK(result.box_count == 4);
  CHECK(result.status == RESEMOTE_STATUS_OK);
  for (int i = 0; i < 4; ++i) CHECK(got[i].score == want[i].score);
  CHECK(result.pending == 0);
  CHECK(resemote_classifier_poll(classifier.handle, 1, &result, got, nullptr) == RESEMOTE_STATUS_NOT_READY);
}

TEST_CASE("a camera faster than the engine loses the oldest frames, and is told how many") {
  const MadeArtifact made;
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_internal::echo_settings().hold = true;
  for (std::uint64_t tag = 0; tag < 10; ++tag) {
    REQUIRE(resemote_classifier_submit(classifier.handle, &picture.frame, kBoxes, 1, tag) == RESEMOTE_STATUS_OK);
  }
  resemote_internal::echo_settings().hold = false;
  resemote_result result;
  resemote_decision decisions[8];
  std::uint64_t seen = 0, dropped = 0, last = 0;
  do {
    REQUIRE(poll(classifier, result, decisions) == RESEMOTE_STATUS_OK);
    ++seen;
    dropped += result.dropped;
    last = result.tag;
  } while (result.pending > 0);
  CHECK(last == 9);  // the newest always comes through
  CHECK(seen + dropped == 10);
  CHECK(seen >= 2);  // the two that waited
  CHECK(seen <= 3);  // and the one that was in work, if the thread had begun
}

TEST_CASE("an inference that fails is a result with its words") {
  const MadeArtifact made;
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_result result;
  resemote_decision decisions[8];
  resemote_internal::echo_settings().fail = true;
  REQUIRE(resemote_classifier_submit(classifier.handle, &picture.frame, kBoxes, 1, 1) == RESEMOTE_STATUS_OK);
  CHECK(poll(classifier, result, decisions) == RESEMOTE_STATUS_OK);
  resemote_internal::echo_settings().fail = false;
  CHECK(result.status == RESEMOTE_STATUS_BACKEND_FAILED);
  CHECK_THAT(resemote_last_error(), Contains("echo was told to fail"));
}

TEST_CASE("bad calls of a classifier are refused") {
  const MadeArtifact made;
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_decision decisions[16];
  const auto classify = [&](const resemote_frame& frame, const resemote_box* boxes, std::size_t count) {
    return resemote_classifier_classify(classifier.handle, &frame, boxes, count, decisions, nullptr);
  };
  CHECK(classify(picture.frame, kBoxes, 0) == RESEMOTE_STATUS_OK);
  CHECK(classify(picture.frame, nullptr, 1) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(classify(picture.frame, kBoxes, 9) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("9 boxes") && Contains("max_faces"));
  CHECK(resemote_classifier_classify(classifier.handle, &picture.frame, kBoxes, 1, nullptr, nullptr) ==
        RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_classifier_classify(classifier.handle, nullptr, kBoxes, 1, decisions, nullptr) ==
        RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_frame frame = picture.frame;
  SECTION("no pixels") { frame.data = nullptr; }
  SECTION("a format") { frame.format = 17; }
  SECTION("no width") { frame.width = 0; }
  SECTION("a negative height") { frame.height = -240; }
  SECTION("a stride within the row") { frame.stride_bytes = 320; }
  SECTION("a size") { frame.struct_size = 8; }
  CHECK(classify(frame, kBoxes, 1) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  const resemote_box outside = {400, 0, 50, 50}, thin = {0, 0, 7, 50}, wraps = {INT32_MAX, 0, INT32_MAX, 50};
  for (const resemote_box& box : {outside, thin, wraps}) {
    CHECK(classify(picture.frame, &box, 1) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  }
  std::vector<float> feed(3 * 64 * 64);
  CHECK(resemote_classifier_preprocess(classifier.handle, &picture.frame, kBoxes, 1, feed.data(), 100) ==
        RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_classifier_preprocess(classifier.handle, &picture.frame, kBoxes, 1, feed.data(), feed.size() * 4) ==
        RESEMOTE_STATUS_OK);
}

TEST_CASE("a classifier's session is lent, and ends with it") {
  const MadeArtifact made;
  resemote_classifier* classifier = nullptr;
  REQUIRE(resemote_classifier_create(made.path(), nullptr, nullptr, &classifier) == RESEMOTE_STATUS_OK);
  resemote_session* session = nullptr;
  REQUIRE(resemote_classifier_get_session(classifier, &session) == RESEMOTE_STATUS_OK);
  CHECK(resemote_session_destroy(session) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_session_info info = {};
  info.struct_size = sizeof info;
  CHECK(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_OK);
  CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_OK);
  CHECK(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_CLOSED);
  CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_CLOSED);
  CHECK(resemote_internal::echo_settings().alive == 0);
}

TEST_CASE("memory beyond what a board has is refused at creation, in numbers") {
  const MadeArtifact made;
  resemote_classifier_options options = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
  options.max_faces = options.queue_depth = 4096;
  resemote_classifier* classifier = nullptr;
  CHECK(resemote_classifier_create(made.path(), nullptr, &options, &classifier) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("max_faces 4096 with queue_depth 4096 would take") &&
                                        Contains("49152 bytes") && Contains("pass fewer of either"));
  options.queue_depth = 0;
  REQUIRE(resemote_classifier_create(made.path(), nullptr, &options, &classifier) == RESEMOTE_STATUS_OK);
  const Picture picture(320, 240);
  resemote_result result = RESEMOTE_RESULT_INIT;
  std::vector<resemote_decision> decisions(4096);
  CHECK(resemote_classifier_submit(classifier, &picture.frame, kBoxes, 1, 0) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("queue_depth of at least 1"));
  CHECK(resemote_classifier_poll(classifier, -1, &result, decisions.data(), nullptr) ==
        RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_classifier_destroy(classifier) == RESEMOTE_STATUS_OK);
}

TEST_CASE("a frame of the first version of the headers has no timestamp, and a result for it is not written past its end") {
  const MadeArtifact made;
  const Opened classifier(made);
  const Picture picture(320, 240);
  resemote_frame frame = picture.frame;
  frame.timestamp_ns = 99;
  frame.struct_size = offsetof(resemote_frame, timestamp_ns);
  resemote_decision decisions[8];
  resemote_result result = RESEMOTE_RESULT_INIT;
  result.struct_size = offsetof(resemote_result, timestamp_ns);
  result.timestamp_ns = 77;
  REQUIRE(resemote_classifier_submit(classifier.handle, &frame, kBoxes, 1, 5) == RESEMOTE_STATUS_OK);
  REQUIRE(resemote_classifier_poll(classifier.handle, -1, &result, decisions, nullptr) == RESEMOTE_STATUS_OK);
  CHECK(result.tag == 5);
  CHECK(result.timestamp_ns == 77);
  REQUIRE(resemote_classifier_submit(classifier.handle, &frame, kBoxes, 1, 6) == RESEMOTE_STATUS_OK);
  REQUIRE(poll(classifier, result, decisions) == RESEMOTE_STATUS_OK);
  CHECK(result.timestamp_ns == 0);
}

TEST_CASE("the C++ wrapper tells what it runs, tests itself and lends its session") {
  MadeArtifact made;
  resemote::Classifier classifier(made.path());
  CHECK(std::string(classifier.info().backend) == "echo");
  CHECK(classifier.info().label_count == 3);
  CHECK(classifier.labels() == std::vector<std::string>{"happy", "sad", "neutral"});
  CHECK_THROWS_AS(classifier.self_test(), resemote::Failure);
  resemote_tensor_spec spec = RESEMOTE_TENSOR_SPEC_INIT;
  CHECK(resemote_session_get_input(classifier.session(), 0, &spec) == RESEMOTE_STATUS_OK);
  resemote_result result;
  std::vector<resemote::Face> found;
  CHECK_FALSE(classifier.poll(1, result, found));
  const Picture picture(320, 240);
  resemote_frame frame = resemote::frame_of(RESEMOTE_PIXEL_BGR24, 320, 240, picture.pixels.data());
  frame.timestamp_ns = 123456789;
  classifier.submit(frame, {kBoxes[0]}, 3);
  CHECK(classifier.poll(-1, result, found));
  CHECK(result.timestamp_ns == 123456789);
  CHECK(found.size() == 1);

  made.passport["golden"]["max_abs_diff"] = 1e9;
  made.write_passport();
  resemote::Session session(made.path());
  CHECK(session.labels() == classifier.labels());
  CHECK(session.self_test().crops == 2);
  CHECK(session.input(0).dims[3] == 64);
  CHECK(session.output(0).dims[1] == 3);
  CHECK_THROWS_AS(session.output(1), resemote::Failure);
  resemote::Classifier moved = std::move(classifier);
  CHECK(moved.info().label_count == 3);
}

TEST_CASE("options out of range are refused") {
  const MadeArtifact made;
  resemote_classifier_options options;
  resemote_classifier_options_init(&options);
  SECTION("faces") { options.max_faces = 0; }
  SECTION("depth") { options.queue_depth = -1; }
  SECTION("both") { options.max_faces = options.queue_depth = INT32_MAX; }
  resemote_classifier* classifier = nullptr;
  CHECK(resemote_classifier_create(made.path(), nullptr, &options, &classifier) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(classifier == nullptr);
}
