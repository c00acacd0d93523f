#include "judge.h"

#include <algorithm>

#include "../progress.h"
#include "faces/quality.h"

namespace resemote_camera {
namespace {

constexpr int MOST_FACES = 64;  // in one batch
constexpr int MAX_FRAME_SIDE = 16384;

resemote_classifier_options classifier_options() {
  resemote_classifier_options options = resemote::default_classifier_options();
  options.max_faces = MOST_FACES;
  options.queue_depth = 0;  // every frame is judged at once
  return options;
}

resemote_tensor_spec input_of(const resemote::Classifier& classifier) {
  resemote_tensor_spec spec = RESEMOTE_TENSOR_SPEC_INIT;
  resemote::check(resemote_session_get_input(classifier.session(), 0, &spec));
  return spec;
}

}  // namespace

Judge::Judge(const std::string& artifact, const resemote_session_options& options)
    : classifier_(resemote_tools::open_with_progress<resemote::Classifier>(artifact, options, classifier_options())) {
  const resemote_tensor_spec spec = input_of(classifier_);
  const bool planes = spec.dtype == RESEMOTE_DTYPE_FLOAT32;  // channels before rows
  height_ = static_cast<int>(spec.dims[planes ? 2 : 1]);
  width_ = static_cast<int>(spec.dims[planes ? 3 : 2]);
  takes_color_ = !planes && spec.dims[3] == 3;
  most_ = static_cast<std::size_t>(std::min(MOST_FACES, MAX_FRAME_SIDE / height_));
}

// The faces are brought to the network's size once, for the measurements and the classifier alike: large faces take
// longer to resize than to judge. One above the other, they are a frame in which the classifier has nothing to resize.
std::vector<Judgement> Judge::judge(const resemote_frame& frame, const std::vector<Face>& faces,
                                    const std::vector<resemote_box>& squares, bool judge_all) {
  std::vector<Judgement> judgements(faces.size());
  if (faces.empty()) return judgements;
  const resemote_pixel_format format = takes_color_ ? RESEMOTE_PIXEL_RGB24 : RESEMOTE_PIXEL_GRAY8;
  for (std::size_t first = 0; first < faces.size(); first += most_) {
    const std::size_t end = std::min(first + most_, faces.size());
    const std::vector<resemote_box> some(squares.begin() + static_cast<std::ptrdiff_t>(first),
                                         squares.begin() + static_cast<std::ptrdiff_t>(end));
    const std::vector<std::uint8_t> pixels =
        resemote::crops_of(frame, some, RESEMOTE_EDGES_REPLICATED, format, width_, height_);
    const int count = static_cast<int>(some.size());
    const resemote_frame sized = resemote::frame_of(format, width_, height_ * count, pixels.data());
    std::vector<resemote_box> boxes;
    for (int place = 0; place < count; ++place) boxes.push_back({0, place * height_, width_, height_});
    const std::vector<std::uint8_t> gray = resemote::crops_of(sized, boxes, RESEMOTE_EDGES_CUT, RESEMOTE_PIXEL_GRAY8,
                                                              QUALITY_SIDE, QUALITY_SIDE);
    std::vector<resemote_box> chosen;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const std::uint8_t* const levels = gray.data() + i * QUALITY_SIDE * QUALITY_SIDE;
      const char* const reason = judge_all ? nullptr : why_not_judged(measure_quality(faces[first + i], levels));
      judgements[first + i].why_not = reason;
      if (reason != nullptr) continue;
      chosen.push_back(boxes[i]);
      places.push_back(first + i);
    }
    const std::vector<resemote::Face> found = classifier_.classify(sized, chosen);
    for (std::size_t i = 0; i < found.size(); ++i) {
      judgements[places[i]].probabilities.assign(found[i].probabilities.begin(), found[i].probabilities.end());
    }
  }
  return judgements;
}

}  // namespace resemote_camera
