#include "self_test.h"

#include <algorithm>
#include <cmath>

#include "error.h"
#include "npy.h"
#include "preprocessing.h"

namespace resemote_internal {
namespace {

struct Golden {
  NpyArray crops;   // uint8 (N, H, W, 3), RGB
  NpyArray logits;  // float32 (N, classes)
};

Golden load(const Artifact& artifact) {
  const Passport& passport = artifact.passport();
  Golden golden{read_npy(artifact.folder() + "/" + passport.golden.inputs),
                read_npy(artifact.folder() + "/" + passport.golden.outputs)};
  const std::vector<std::int64_t>& crops = golden.crops.shape;
  const std::vector<std::int64_t> logits = {passport.golden.count, static_cast<std::int64_t>(passport.labels.size())};
  const bool sound = golden.crops.dtype == "|u1" && crops.size() == 4 && crops[3] == 3 && crops[0] >= 1 &&
                     crops[0] == passport.golden.count && golden.logits.dtype == "<f4" &&
                     golden.logits.shape == logits && crops[1] <= 16384 && crops[2] <= 16384;
  if (!sound) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, artifact.folder() +
                                                      ": golden crops and logits do not fit the passport (" +
                                                      std::to_string(passport.golden.count) +
                                                      " crops); export the artifact again");
  }
  return golden;
}

// One crop, as a frame.
resemote_frame frame_of(const NpyArray& crops, std::int64_t index) {
  resemote_frame frame = RESEMOTE_FRAME_INIT;
  frame.format = RESEMOTE_PIXEL_RGB24;
  frame.height = static_cast<std::int32_t>(crops.shape[1]);
  frame.width = static_cast<std::int32_t>(crops.shape[2]);
  frame.data = crops.data<std::uint8_t>() + index * crops.shape[1] * crops.shape[2] * 3;
  return frame;
}

// Inputs of the network that are in memory at the same time. Those of an export all fit.
constexpr std::size_t kMostFeedBytes = 64 << 20;

std::vector<float> outputs_of(Session& session, const NpyArray& crops) {
  const Passport& passport = session.passport();
  const std::int64_t count = crops.shape[0];
  Preprocessor preprocess(passport.preprocessing);
  const std::size_t feed_bytes = preprocess.feed_bytes();
  const std::int64_t classes = static_cast<std::int64_t>(passport.labels.size());
  std::vector<float> outputs(static_cast<std::size_t>(count * classes));
  const std::int64_t affordable = static_cast<std::int64_t>(std::max<std::size_t>(kMostFeedBytes / feed_bytes, 1));
  const std::int64_t largest =
      std::min({count, affordable, passport.batch_max == 0 ? count : passport.batch_max});
  const std::int64_t parts = (count + largest - 1) / largest;
  std::vector<float> feed((feed_bytes * static_cast<std::size_t>(largest) + 3) / 4);
  char* const bytes = reinterpret_cast<char*>(feed.data());
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t first = count * part / parts, end = count * (part + 1) / parts;
    for (std::int64_t i = first; i < end; ++i) {
      const resemote_frame frame = frame_of(crops, i);
      const resemote_box whole = {0, 0, frame.width, frame.height};
      preprocess.run(frame, &whole, 1, bytes + feed_bytes * static_cast<std::size_t>(i - first));
    }
    session.run_batch(bytes, end - first, outputs.data() + first * classes);
  }
  return outputs;
}

// Golden pictures and outputs of a detector, checked against its passport.
Golden load_pictures(const Artifact& artifact, std::int64_t values) {
  const Passport& passport = artifact.passport();
  const DetectorSpec& spec = passport.detector;
  const GoldenInfo& info = passport.golden;
  Golden golden{read_npy(artifact.folder() + "/" + info.inputs), read_npy(artifact.folder() + "/" + info.outputs)};
  const std::vector<std::int64_t> pictures = {info.count, spec.height / info.repeat, spec.width / info.repeat, 3};
  const std::vector<std::int64_t> outputs = {info.count, values};
  if (golden.crops.dtype != "|u1" || golden.crops.shape != pictures || golden.logits.dtype != "<f4" ||
      golden.logits.shape != outputs) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, artifact.folder() +
                                                      ": golden pictures and outputs do not fit the passport (" +
                                                      std::to_string(info.count) +
                                                      " pictures); export the artifact again");
  }
  return golden;
}

// A golden picture as the network takes it: each pixel is repeated in both directions.
void feed_picture(const Passport& passport, const std::uint8_t* picture, std::vector<float>& feed) {
  const DetectorSpec& spec = passport.detector;
  const int repeat = passport.golden.repeat;
  const std::size_t plane = static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width);
  std::uint8_t* const bytes = reinterpret_cast<std::uint8_t*>(feed.data());
  std::size_t place = 0;
  for (int y = 0; y < spec.height; ++y) {
    for (int x = 0; x < spec.width; ++x, ++place) {
      const std::uint8_t* const pixel = picture + (y / repeat * (spec.width / repeat) + x / repeat) * 3;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        if (spec.input == InputFormat::kTensor) {
          feed[channel * plane + place] = pixel[channel];
        } else {
          bytes[place * 3 + channel] = pixel[channel];
        }
      }
    }
  }
}

[[noreturn]] void refuse_output(const Session& session) {
  throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
              session.artifact().folder() + ": " + session.backend() + " on " + session.device() + " gives NaN or Inf");
}

SelfTestResult detector_self_test(Session& session) {
  const Passport& passport = session.passport();
  std::size_t values = 0;
  for (const TensorSpec& spec : passport.outputs) values += spec.bytes(1) / sizeof(float);
  const Golden golden = load_pictures(session.artifact(), static_cast<std::int64_t>(values));
  std::vector<float> feed((passport.inputs.front().bytes(1) + 3) / 4), got(values);
  const std::size_t picture_bytes = golden.crops.bytes.size() / static_cast<std::size_t>(passport.golden.count);
  SelfTestResult result;
  result.crops = static_cast<int>(passport.golden.count);
  result.limit = passport.golden.max_abs_diff;
  result.top1_agreement = 1.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(passport.golden.count); ++i) {
    feed_picture(passport, golden.crops.data<std::uint8_t>() + i * picture_bytes, feed);
    session.run_picture(feed.data(), got.data());
    const float* const want = golden.logits.data<float>() + i * values;
    for (std::size_t value = 0; value < values; ++value) {
      if (!std::isfinite(got[value])) refuse_output(session);
      result.max_abs_diff = std::max(result.max_abs_diff, std::fabs(static_cast<double>(got[value]) - want[value]));
    }
  }
  return result;
}

}  // namespace

SelfTestResult self_test(Session& session) {
  if (session.passport().kind == Kind::kDetector) return detector_self_test(session);
  const Golden golden = load(session.artifact());
  const std::size_t classes = session.passport().labels.size();
  const std::size_t count = static_cast<std::size_t>(golden.crops.shape[0]);
  const std::vector<float> got = outputs_of(session, golden.crops);
  std::vector<float> want(golden.logits.data<float>(), golden.logits.data<float>() + count * classes);
  SelfTestResult result;
  result.crops = static_cast<int>(count);
  result.limit = session.passport().golden.max_abs_diff;
  std::size_t agreeing = 0;
  for (std::size_t row = 0; row < count; ++row) {
    float* const wanted = want.data() + row * classes;
    const float* const given = got.data() + row * classes;
    if (session.passport().gives_probabilities()) softmax(wanted, classes, wanted);
    for (std::size_t i = 0; i < classes; ++i) {
      if (!std::isfinite(given[i])) refuse_output(session);
      result.max_abs_diff = std::max(result.max_abs_diff, std::fabs(static_cast<double>(given[i]) - wanted[i]));
    }
    agreeing += std::max_element(given, given + classes) - given == std::max_element(wanted, wanted + classes) - wanted;
  }
  result.top1_agreement = static_cast<double>(agreeing) / static_cast<double>(count);
  return result;
}

}  // namespace resemote_internal
