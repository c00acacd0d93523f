// Classes that own the handles of resemote/runtime.h. Header-only, for C++11 and later.
//
//     resemote::Classifier classifier("artifact");
//     std::vector<resemote::Face> faces = classifier.classify(frame, boxes);
//     std::puts(classifier.labels()[faces[0].decision.label].c_str());
#ifndef RESEMOTE_RUNTIME_HPP
#define RESEMOTE_RUNTIME_HPP

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "resemote/runtime.h"

namespace resemote {

// Thrown if a C function returns another status than RESEMOTE_STATUS_OK; what() is resemote_last_error().
class Failure : public std::runtime_error {
 public:
  explicit Failure(resemote_status status) : std::runtime_error(resemote_last_error()), status_(status) {}
  resemote_status status() const noexcept { return status_; }

 private:
  resemote_status status_;
};

inline void check(resemote_status status) {
  if (status != RESEMOTE_STATUS_OK) throw Failure(status);
}

inline resemote_session_options default_session_options() {
  resemote_session_options options = RESEMOTE_SESSION_OPTIONS_INIT;
  return options;
}

inline resemote_classifier_options default_classifier_options() {
  resemote_classifier_options options = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
  return options;
}

// A picture without gaps between its rows. The caller keeps the memory.
inline resemote_frame frame_of(resemote_pixel_format format, int width, int height, const std::uint8_t* data,
                               std::int64_t stride_bytes = 0) {
  resemote_frame frame = RESEMOTE_FRAME_INIT;
  frame.format = format;
  frame.width = width;
  frame.height = height;
  frame.data = data;
  frame.stride_bytes = stride_bytes;
  return frame;
}

// Can be moved but not copied. One thread at a time may use it.
template <typename Handle, resemote_status (*destroy)(Handle*)>
class Owned {
 public:
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Owned(Owned&& other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() { destroy(handle_); }

  Handle* get() const noexcept { return handle_; }

 protected:
  Owned() = default;
  Handle* handle_ = nullptr;
};

// The functions of a session's handle, which a Session owns and a Classifier lends.
inline resemote_session_info info_of(resemote_session* session) {
  resemote_session_info info = RESEMOTE_SESSION_INFO_INIT;
  check(resemote_session_get_info(session, &info));
  return info;
}

inline std::vector<std::string> labels_of(resemote_session* session) {
  std::vector<std::string> labels;
  const std::int32_t count = info_of(session).label_count;
  for (std::int32_t i = 0; i < count; ++i) {
    const char* label = nullptr;
    check(resemote_session_get_label(session, i, &label));
    labels.push_back(label);
  }
  return labels;
}

// Throws Failure with RESEMOTE_STATUS_SELF_TEST_FAILED if the outputs differ from those at export.
inline resemote_self_test_result self_test_of(resemote_session* session) {
  resemote_self_test_result result = RESEMOTE_SELF_TEST_RESULT_INIT;
  check(resemote_session_self_test(session, &result));
  return result;
}

class Session : public Owned<resemote_session, resemote_session_destroy> {
 public:
  explicit Session(const std::string& artifact) : Session(artifact, default_session_options()) {}
  Session(const std::string& artifact, const resemote_session_options& options) {
    check(resemote_session_create(artifact.c_str(), &options, &handle_));
  }

  // Strings of the result live as long as the session.
  resemote_session_info info() const { return info_of(handle_); }
  std::vector<std::string> labels() const { return labels_of(handle_); }

  resemote_tensor_spec input(std::int32_t index) const {
    resemote_tensor_spec spec = RESEMOTE_TENSOR_SPEC_INIT;
    check(resemote_session_get_input(handle_, index, &spec));
    return spec;
  }

  resemote_tensor_spec output(std::int32_t index) const {
    resemote_tensor_spec spec = RESEMOTE_TENSOR_SPEC_INIT;
    check(resemote_session_get_output(handle_, index, &spec));
    return spec;
  }

  // Throws Failure if the artifact is no detector.
  resemote_detector_info detector() const {
    resemote_detector_info info = RESEMOTE_DETECTOR_INFO_INIT;
    check(resemote_session_get_detector(handle_, &info));
    return info;
  }

  void run(const std::vector<resemote_tensor>& inputs, const std::vector<resemote_tensor>& outputs) {
    check(resemote_session_run(handle_, inputs.data(), inputs.size(), outputs.data(), outputs.size()));
  }

  // Throws Failure with RESEMOTE_STATUS_SELF_TEST_FAILED if the outputs differ from those at export.
  resemote_self_test_result self_test() { return self_test_of(handle_); }
};

// Crops of boxes, resized to width x height pixels, one after the other.
inline std::vector<std::uint8_t> crops_of(const resemote_frame& frame, const std::vector<resemote_box>& boxes,
                                          resemote_edges edges, resemote_pixel_format format, int width, int height) {
  const std::size_t samples = format == RESEMOTE_PIXEL_GRAY8 ? 1 : 3;
  const bool sound = width > 0 && height > 0;
  std::vector<std::uint8_t> pixels(
      sound ? boxes.size() * samples * static_cast<std::size_t>(width) * static_cast<std::size_t>(height) : 0);
  check(resemote_frame_crop(&frame, boxes.data(), boxes.size(), edges, format, width, height, pixels.data(),
                            pixels.size()));
  return pixels;
}

// The decision for a box.
struct Face {
  resemote_decision decision;
  std::vector<float> probabilities;
};

class Classifier : public Owned<resemote_classifier, resemote_classifier_destroy> {
 public:
  explicit Classifier(const std::string& artifact)
      : Classifier(artifact, default_session_options(), default_classifier_options()) {}
  Classifier(const std::string& artifact, const resemote_session_options& session,
             const resemote_classifier_options& options)
      : max_faces_(static_cast<std::size_t>(options.max_faces)) {
    check(resemote_classifier_create(artifact.c_str(), &session, &options, &handle_));
    labels_ = labels_of(this->session());
  }

  const std::vector<std::string>& labels() const noexcept { return labels_; }

  // Session of the classifier, for every function of sessions; the classifier owns it.
  resemote_session* session() const {
    resemote_session* session = nullptr;
    check(resemote_classifier_get_session(handle_, &session));
    return session;
  }

  // Strings of the result live as long as the classifier.
  resemote_session_info info() const { return info_of(session()); }
  // Throws Failure with RESEMOTE_STATUS_SELF_TEST_FAILED if the outputs differ from those at export.
  resemote_self_test_result self_test() { return self_test_of(session()); }

  std::vector<Face> classify(const resemote_frame& frame, const std::vector<resemote_box>& boxes) {
    std::vector<resemote_decision> decisions(boxes.size());
    std::vector<float> probabilities(boxes.size() * labels_.size());
    check(resemote_classifier_classify(handle_, &frame, boxes.data(), boxes.size(), decisions.data(),
                                       probabilities.data()));
    return faces(decisions, probabilities, boxes.size());
  }

  void submit(const resemote_frame& frame, const std::vector<resemote_box>& boxes, std::uint64_t tag) {
    check(resemote_classifier_submit(handle_, &frame, boxes.data(), boxes.size(), tag));
  }

  // Waits for a result, and returns whether there was one (see resemote_classifier_poll). Throws Failure if its inference
  // failed.
  bool poll(int timeout_ms, resemote_result& result, std::vector<Face>& found) {
    std::vector<resemote_decision> decisions(max_faces_);
    std::vector<float> probabilities(max_faces_ * labels_.size());
    const resemote_result empty = RESEMOTE_RESULT_INIT;
    result = empty;
    const resemote_status status =
        resemote_classifier_poll(handle_, timeout_ms, &result, decisions.data(), probabilities.data());
    if (status == RESEMOTE_STATUS_NOT_READY) return false;
    check(status);
    check(result.status);
    found = faces(decisions, probabilities, result.box_count);
    return true;
  }

 private:
  std::vector<Face> faces(const std::vector<resemote_decision>& decisions, const std::vector<float>& probabilities,
                          std::size_t count) const {
    std::vector<Face> found;
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = probabilities.begin() + static_cast<std::ptrdiff_t>(i * labels_.size());
      found.push_back({decisions[i], std::vector<float>(row, row + static_cast<std::ptrdiff_t>(labels_.size()))});
    }
    return found;
  }

  std::size_t max_faces_;
  std::vector<std::string> labels_;
};

}  // namespace resemote

#endif  // RESEMOTE_RUNTIME_HPP
