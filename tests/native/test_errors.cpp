// Every way of calling the C functions wrongly gives its status and a message, and leaks nothing.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "echo_backend.h"
#include "made_artifact.h"
#include "resemote/runtime.h"

using Catch::Contains;

namespace {

resemote_session* open_echo(const MadeArtifact& made) {
  resemote_session* session = nullptr;
  REQUIRE(resemote_session_create(made.path(), nullptr, &session) == RESEMOTE_STATUS_OK);
  return session;
}

resemote_session_options options_with(const char* backend, const char* device) {
  resemote_session_options options = RESEMOTE_SESSION_OPTIONS_INIT;
  options.backend = backend;
  options.device = device;
  return options;
}

resemote_status create_status(const MadeArtifact& made, const resemote_session_options& options) {
  resemote_session* session = reinterpret_cast<resemote_session*>(&session);
  const resemote_status status = resemote_session_create(made.path(), &options, &session);
  CHECK(session == nullptr);
  return status;
}

// A batch of input and output that fit.
struct Tensors {
  std::vector<float> feed, logits;
  resemote_tensor input, output;

  explicit Tensors(std::int64_t batch)
      : feed(static_cast<std::size_t>(batch) * 3 * 64 * 64, 0.5F), logits(static_cast<std::size_t>(batch) * 3) {
    input = {"input", feed.data(), feed.size() * 4, RESEMOTE_DTYPE_FLOAT32, 4, {batch, 3, 64, 64, 0, 0, 0, 0}};
    output = {"logits", logits.data(), logits.size() * 4, RESEMOTE_DTYPE_FLOAT32, 2, {batch, 3, 0, 0, 0, 0, 0, 0}};
  }
};

resemote_status run_status(resemote_session* session, const Tensors& tensors) {
  return resemote_session_run(session, &tensors.input, 1, &tensors.output, 1);
}

}  // namespace

TEST_CASE("names of statuses") {
  CHECK(std::string(resemote_status_name(RESEMOTE_STATUS_OK)) == "ok");
  CHECK(std::string(resemote_status_name(RESEMOTE_STATUS_CLOSED)) == "closed");
  CHECK(std::string(resemote_status_name(12345)) == "unknown status");
  CHECK(resemote_abi_version() == RESEMOTE_ABI_VERSION);
}

TEST_CASE("nulls are invalid arguments") {
  const MadeArtifact made;
  resemote_session* session = nullptr;
  CHECK(resemote_session_create(nullptr, nullptr, &session) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_session_create(made.path(), nullptr, nullptr) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_session_options_init(nullptr) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_session_run(nullptr, nullptr, 0, nullptr, 0) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("null"));
  CHECK(resemote_session_get_info(nullptr, nullptr) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_backend_probe(nullptr, nullptr, nullptr) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_session_destroy(nullptr) == RESEMOTE_STATUS_OK);
  CHECK(resemote_classifier_destroy(nullptr) == RESEMOTE_STATUS_OK);
  CHECK(resemote_backend_name(99) == nullptr);
}

TEST_CASE("a struct of a size that no header had is refused with the sizes") {
  const MadeArtifact made;
  resemote_session_options options = options_with("echo", "cpu");
  SECTION("within a member") { options.struct_size -= 1; }
  SECTION("of a newer header") { options.struct_size += alignof(resemote_session_options); }
  SECTION("none") { options.struct_size = 0; }
  CHECK(create_status(made, options) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("struct_size is " + std::to_string(options.struct_size) + ",") &&
                                        Contains("to " + std::to_string(sizeof options)));
  resemote_backend_info info;
  std::memset(&info, 0, sizeof info);
  CHECK(resemote_backend_probe("echo", nullptr, &info) == RESEMOTE_STATUS_INVALID_ARGUMENT);
}

TEST_CASE("a smaller struct, of an older header, has the defaults of what it lacks") {
  const MadeArtifact made;
  resemote_session_options options = options_with("echo", "cpu");
  options.threads = -1;  // the session refuses it
  CHECK(create_status(made, options) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  options.struct_size = offsetof(resemote_session_options, threads);
  resemote_session* session = nullptr;
  REQUIRE(resemote_session_create(made.path(), &options, &session) == RESEMOTE_STATUS_OK);

  // Nothing is written behind what the caller has room for.
  resemote_session_info info;
  std::memset(&info, 0x5A, sizeof info);
  info.struct_size = offsetof(resemote_session_info, batch_min);
  REQUIRE(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_OK);
  CHECK(info.struct_size == offsetof(resemote_session_info, batch_min));
  CHECK(std::string(info.backend) == "echo");
  CHECK(info.batch_max == 0x5A5A5A5A5A5A5A5A);
  info.struct_size = sizeof info + alignof(resemote_session_info);
  CHECK(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_session_destroy(session);

  resemote_classifier_options none = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
  none.struct_size = sizeof none.struct_size;
  none.max_faces = none.queue_depth = -1;
  resemote_classifier* classifier = nullptr;
  REQUIRE(resemote_classifier_create(made.path(), nullptr, &none, &classifier) == RESEMOTE_STATUS_OK);

  std::vector<std::uint8_t> pixels(64 * 64);
  resemote_frame frame = RESEMOTE_FRAME_INIT;
  frame.width = frame.height = 64;
  frame.data = pixels.data();
  frame.uv_stride_bytes = -1;
  frame.struct_size = offsetof(resemote_frame, uv);
  const resemote_box boxes[16] = {{0, 0, 64, 64}};
  resemote_decision decisions[16];
  CHECK(resemote_classifier_classify(classifier, &frame, boxes, 1, decisions, nullptr) == RESEMOTE_STATUS_OK);
  frame.struct_size = offsetof(resemote_frame, stride_bytes);
  CHECK(resemote_classifier_classify(classifier, &frame, boxes, 1, decisions, nullptr) ==
        RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_classifier_destroy(classifier);
}

TEST_CASE("the functions fill in what the macros do, as far as the first version of the headers had it") {
  const resemote_session_options session = RESEMOTE_SESSION_OPTIONS_INIT;
  resemote_session_options session_made;
  std::memset(&session_made, 0x5A, sizeof session_made);
  REQUIRE(resemote_session_options_init(&session_made) == RESEMOTE_STATUS_OK);
  CHECK(session_made.struct_size == offsetof(resemote_session_options, log));
  CHECK(session_made.backend == session.backend);
  CHECK(session_made.threads == session.threads);
  const resemote_classifier_options classifier = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
  resemote_classifier_options classifier_made;
  REQUIRE(resemote_classifier_options_init(&classifier_made) == RESEMOTE_STATUS_OK);
  CHECK(classifier_made.max_faces == classifier.max_faces);
  CHECK(classifier_made.queue_depth == classifier.queue_depth);
}

TEST_CASE("backends and devices are those asked for, or none") {
  const MadeArtifact made;
  CHECK(create_status(made, options_with("absent", nullptr)) == RESEMOTE_STATUS_BACKEND_UNAVAILABLE);
  CHECK_THAT(resemote_last_error(), Contains("libabsent.so was not found; install it"));
  CHECK(create_status(made, options_with("tensorflow", nullptr)) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("absent, echo"));
  CHECK(create_status(made, options_with("echo", "cuda:0")) == RESEMOTE_STATUS_DEVICE_UNAVAILABLE);
  CHECK_THAT(resemote_last_error(), Contains("found cpu, npu"));
  // A backend that breaks is an answer, not a reason to take another.
  CHECK(create_status(made, options_with("auto", "npu")) == RESEMOTE_STATUS_BACKEND_FAILED);
  resemote_session_options threads = options_with("echo", "cpu");
  threads.threads = -1;
  CHECK(create_status(made, threads) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(create_status(made, options_with("auto", "cuda:0")) == RESEMOTE_STATUS_DEVICE_UNAVAILABLE);
  CHECK_THAT(resemote_last_error(), Contains("libabsent.so was not found") && Contains("found cpu, npu"));
}

TEST_CASE("the backend of a session is known before it is opened, with what speaks against others") {
  const MadeArtifact made;
  resemote_backend_choice choice;
  choice.struct_size = sizeof choice;
  REQUIRE(resemote_backend_choose(made.path(), nullptr, &choice) == RESEMOTE_STATUS_OK);
  CHECK(std::string(choice.backend) == "echo");
  CHECK(std::string(choice.device) == "cpu");
  CHECK(std::string(choice.file) == "model.onnx");
  CHECK(std::string(choice.skipped) == "backend absent: libabsent.so was not found; install it");
  CHECK(resemote_internal::echo_settings().alive == 0);
  const resemote_session_options named = options_with("echo", "npu");  // an engine that breaks when it is loaded
  REQUIRE(resemote_backend_choose(made.path(), &named, &choice) == RESEMOTE_STATUS_OK);
  CHECK(std::string(choice.device) == "npu");
  CHECK(std::string(choice.skipped).empty());
}

TEST_CASE("where no backend can run an artifact, the choice fails as opening does, in its words") {
  MadeArtifact made;
  resemote_backend_choice choice;
  choice.struct_size = sizeof choice;
  resemote_session_options options = options_with(nullptr, nullptr);
  SECTION("no device") { options.device = "cuda:0"; }
  SECTION("no backend") { options.backend = "tensorflow"; }
  SECTION("absent") { options.backend = "absent"; }
  SECTION("threads") { options.threads = -1; }
  SECTION("no format") {
    made.passport["files"][0]["format"] = "graph";
    made.write_passport();
  }
  const resemote_status status = resemote_backend_choose(made.path(), &options, &choice);
  CHECK(status != RESEMOTE_STATUS_OK);
  const std::string words = resemote_last_error();
  CHECK(create_status(made, options) == status);
  CHECK(resemote_last_error() == words);
  CHECK(resemote_backend_choose(made.path(), nullptr, nullptr) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_backend_choose(nullptr, nullptr, &choice) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  choice.struct_size += 8;
  CHECK(resemote_backend_choose(made.path(), nullptr, &choice) == RESEMOTE_STATUS_INVALID_ARGUMENT);
}

TEST_CASE("a format no backend loads is a mismatch that names it") {
  MadeArtifact made;
  made.passport["files"][0]["format"] = "tensorrt-engine";
  made.write_passport();
  CHECK(create_status(made, options_with("echo", nullptr)) == RESEMOTE_STATUS_ARTIFACT_MISMATCH);
  CHECK_THAT(resemote_last_error(), Contains("this artifact holds tensorrt-engine"));
}

TEST_CASE("what is for TensorRT runs on a CPU only if somebody says so") {
  MadeArtifact made;
  made.passport["target"] = "tensorrt";
  made.write_passport();
  CHECK(create_status(made, options_with(nullptr, nullptr)) == RESEMOTE_STATUS_DEVICE_UNAVAILABLE);
  CHECK_THAT(resemote_last_error(), Contains("is for TensorRT") && Contains("ask for the device cpu"));
  CHECK(create_status(made, options_with("auto", "auto")) == RESEMOTE_STATUS_DEVICE_UNAVAILABLE);
  for (const resemote_session_options& options : {options_with(nullptr, "cpu"), options_with("echo", nullptr)}) {
    resemote_session* session = nullptr;
    REQUIRE(resemote_session_create(made.path(), &options, &session) == RESEMOTE_STATUS_OK);
    resemote_session_destroy(session);
  }
}

TEST_CASE("a workspace out of range is refused, and a session says where its engine came from") {
  const MadeArtifact made;
  resemote_session_options options = options_with("echo", nullptr);
  options.workspace_mib = GENERATE(-1, 65537);
  CHECK(create_status(made, options) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("workspace_mib must be from 0 to 65536"));
  resemote_session* const session = open_echo(made);
  resemote_session_info info = RESEMOTE_SESSION_INFO_INIT;
  REQUIRE(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_OK);
  CHECK(std::string(info.engine) == "loaded");
  resemote_session_destroy(session);
}

TEST_CASE("tensors that do not fit are refused and nothing is written") {
  const MadeArtifact made;
  resemote_session* const session = open_echo(made);
  Tensors tensors(2);
  tensors.logits.assign(6, 7.0F);
  SECTION("name") { tensors.input.name = "image"; }
  SECTION("no name") { tensors.input.name = nullptr; }
  SECTION("dtype") { tensors.input.dtype = RESEMOTE_DTYPE_UINT8; }
  SECTION("rank") { tensors.input.rank = 3; }
  SECTION("side") { tensors.input.dims[2] = 63; }
  SECTION("bytes") { tensors.input.size_bytes -= 1; }
  SECTION("data") { tensors.input.data = nullptr; }
  SECTION("a batch that wraps round") {
    tensors.input.dims[0] = std::int64_t{1} << 62;
    tensors.input.size_bytes = 0;
  }
  SECTION("a negative batch") { tensors.input.dims[0] = -1; }
  SECTION("no batch") {
    tensors.input.dims[0] = tensors.output.dims[0] = 0;
    tensors.input.size_bytes = tensors.output.size_bytes = 0;
  }
  SECTION("another batch of the output") {
    tensors.output.dims[0] = 1;
    tensors.output.size_bytes = 12;
  }
  CHECK(run_status(session, tensors) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(std::string(resemote_last_error()).size() > 10);
  CHECK(tensors.logits == std::vector<float>(6, 7.0F));
  CHECK(resemote_session_run(session, &tensors.input, 0, &tensors.output, 1) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(resemote_session_run(session, nullptr, 1, nullptr, 1) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_session_destroy(session);
}

TEST_CASE("a batch outside the artifact's range is refused with the range") {
  MadeArtifact made;
  made.passport["batch"] = {{"min", 2}, {"opt", 2}, {"max", 4}};
  made.write_passport();
  resemote_session* const session = open_echo(made);
  CHECK(run_status(session, Tensors(1)) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK_THAT(resemote_last_error(), Contains("2..4"));
  CHECK(run_status(session, Tensors(5)) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(run_status(session, Tensors(4)) == RESEMOTE_STATUS_OK);
  resemote_session_destroy(session);
}

TEST_CASE("a session used or destroyed after its end is closed, and its engine is gone") {
  const MadeArtifact made;
  resemote_session* const session = open_echo(made);
  CHECK(resemote_internal::echo_settings().alive == 1);
  CHECK(run_status(session, Tensors(1)) == RESEMOTE_STATUS_OK);
  CHECK(resemote_session_destroy(session) == RESEMOTE_STATUS_OK);
  CHECK(resemote_internal::echo_settings().alive == 0);
  CHECK(resemote_session_destroy(session) == RESEMOTE_STATUS_CLOSED);
  CHECK(run_status(session, Tensors(1)) == RESEMOTE_STATUS_CLOSED);
  CHECK_THAT(resemote_last_error(), Contains("open a new one"));
  CHECK(run_status(reinterpret_cast<resemote_session*>(0x1234), Tensors(1)) == RESEMOTE_STATUS_CLOSED);
}

TEST_CASE("an engine's failure carries its words") {
  const MadeArtifact made;
  resemote_session* const session = open_echo(made);
  resemote_internal::echo_settings().fail = true;
  CHECK(run_status(session, Tensors(1)) == RESEMOTE_STATUS_BACKEND_FAILED);
  CHECK_THAT(resemote_last_error(), Contains("echo was told to fail"));
  resemote_internal::echo_settings().fail = false;
  CHECK(run_status(session, Tensors(1)) == RESEMOTE_STATUS_OK);
  resemote_session_destroy(session);
}

TEST_CASE("a session says what it is") {
  const MadeArtifact made;
  resemote_session* const session = open_echo(made);
  resemote_session_info info = {};
  info.struct_size = sizeof info;
  REQUIRE(resemote_session_get_info(session, &info) == RESEMOTE_STATUS_OK);
  CHECK(std::string(info.artifact_name) == "made");
  CHECK(std::string(info.backend) == "echo");
  CHECK(std::string(info.device) == "cpu");
  CHECK(std::string(info.file) == "model.onnx");
  CHECK(info.label_count == 3);
  const char* label = nullptr;
  CHECK(resemote_session_get_label(session, 1, &label) == RESEMOTE_STATUS_OK);
  CHECK(std::string(label) == "sad");
  CHECK(resemote_session_get_label(session, 3, &label) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(label == nullptr);
  resemote_tensor_spec spec = {};
  spec.struct_size = sizeof spec;
  CHECK(resemote_session_get_input(session, 0, &spec) == RESEMOTE_STATUS_OK);
  CHECK(spec.dims[0] == -1);
  CHECK(spec.dims[3] == 64);
  CHECK(resemote_session_get_output(session, 1, &spec) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  resemote_session_destroy(session);
}

TEST_CASE("NaN and infinity in an input reach the outputs of their sample, and nothing else") {
  const MadeArtifact made;
  resemote_session* const session = open_echo(made);
  Tensors clean(3), spoilt(3);
  REQUIRE(run_status(session, clean) == RESEMOTE_STATUS_OK);
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity());
  spoilt.feed[3 * 64 * 64] = bad;  // the first value of the second sample
  REQUIRE(run_status(session, spoilt) == RESEMOTE_STATUS_OK);
  for (std::size_t i = 0; i < 9; ++i) {
    CAPTURE(i);
    CHECK((i == 3 ? !std::isfinite(spoilt.logits[i]) : spoilt.logits[i] == clean.logits[i]));
  }
  REQUIRE(run_status(session, spoilt = clean) == RESEMOTE_STATUS_OK);
  CHECK(spoilt.logits == clean.logits);
  resemote_session_destroy(session);
}

TEST_CASE("golden outputs that are no numbers are no test that anything passes") {
  MadeArtifact made;
  std::string logits = made_npy("<f4", "(2, 3)", std::string(2 * 3 * 4, '\0'));
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(&logits[logits.size() - sizeof bad], &bad, sizeof bad);
  made.replace("golden_logits.npy", logits);
  made.passport["golden"]["max_abs_diff"] = 1e9;
  made.write_passport();
  resemote_session* const session = open_echo(made);
  CHECK(resemote_session_self_test(session, nullptr) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  CHECK_THAT(resemote_last_error(), Contains("NaN or infinity"));
  resemote_session_destroy(session);
}

TEST_CASE("a self-test of large inputs keeps few of them in memory") {
  MadeArtifact made("gray-u8");
  const std::size_t count = 18;  // of 4 MiB each
  made.replace("golden_crops.npy", made_npy("|u1", "(18, 8, 8, 3)", std::string(count * 8 * 8 * 3, '\x40')));
  made.replace("golden_logits.npy", made_npy("<f4", "(18, 3)", std::string(count * 3 * 4, '\0')));
  made.passport["preprocessing"]["height"] = made.passport["preprocessing"]["width"] = 2048;
  made.passport["inputs"][0]["shape"] = {"batch", 2048, 2048, 1};
  made.passport["golden"]["count"] = count;
  made.passport["golden"]["max_abs_diff"] = 1e9;
  made.write_passport();
  resemote_session* const session = open_echo(made);
  resemote_internal::echo_settings().largest_batch = 0;
  CHECK(resemote_session_self_test(session, nullptr) == RESEMOTE_STATUS_OK);
  CHECK(resemote_internal::echo_settings().largest_batch == 9);
  resemote_session_destroy(session);
}

TEST_CASE("a self-test tells other outputs from those at export") {
  MadeArtifact made;
  resemote_session* session = open_echo(made);
  resemote_self_test_result result = {};
  result.struct_size = sizeof result;
  CHECK(resemote_session_self_test(session, &result) == RESEMOTE_STATUS_SELF_TEST_FAILED);
  CHECK(result.crops == 2);
  CHECK(result.max_abs_diff > result.limit);
  CHECK(resemote_session_self_test(session, nullptr) == RESEMOTE_STATUS_SELF_TEST_FAILED);
  resemote_session_destroy(session);

  made.passport["golden"]["max_abs_diff"] = 1e9;
  made.write_passport();
  session = open_echo(made);
  CHECK(resemote_session_self_test(session, &result) == RESEMOTE_STATUS_OK);
  resemote_session_destroy(session);

  made.passport["golden"]["count"] = 3;
  made.write_passport();
  session = open_echo(made);
  CHECK(resemote_session_self_test(session, &result) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  resemote_session_destroy(session);
}
