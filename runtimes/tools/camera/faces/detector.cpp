#include "detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../../progress.h"
#include "candidates.h"
#include "picture.h"

namespace resemote_camera {
namespace {

class WholeFrame : public Detector {
 public:
  std::vector<Face> detect(const resemote_frame& frame) override {
    Face face;
    face.width = frame.width;
    face.height = frame.height;
    return {face};
  }
};

bool all_finite(const Face& face) {
  for (const double value : {face.x, face.y, face.width, face.height}) {
    if (!std::isfinite(value)) return false;
  }
  for (const Point& point : face.landmarks) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
  }
  return true;
}

// Runs an artifact and keeps the best of boxes that overlap.
class Network : public Detector {
 public:
  Network(const std::string& artifact, const resemote_session_options& options, double min_score)
      : session_(resemote_tools::open_with_progress<resemote::Session>(artifact, options)), info_(session_.detector()), read_(reader_of(info_.family)),
        picture_(info_.width, info_.height) {
    framing = {info_.framing_scale, info_.framing_shift};
    min_score_ = min_score < 0.0 ? info_.min_score : min_score;
    const resemote_tensor_spec input = session_.input(0);
    inputs_.push_back(tensor_of(input));
    if (input.dtype == RESEMOTE_DTYPE_FLOAT32) planes_.resize(inputs_[0].size_bytes / sizeof(float));
    const int outputs = session_.info().output_count;
    values_.reserve(static_cast<std::size_t>(outputs));
    for (int index = 0; index < outputs; ++index) {
      const resemote_tensor_spec spec = session_.output(index);
      resemote_tensor tensor = tensor_of(spec);
      values_.emplace_back(tensor.size_bytes / sizeof(float));
      tensor.data = values_.back().data();
      outputs_.push_back(tensor);
      read_from_[spec.name] = {values_.back().data(), {spec.dims, spec.dims + spec.rank}};
    }
  }

  std::vector<Face> detect(const resemote_frame& frame) override {
    picture_.take(frame);
    feed();
    session_.run(inputs_, outputs_);
    std::vector<Face> faces;
    for (Face& face : keep_best(read_(read_from_, info_.width, min_score_), info_.max_overlap)) {
      scale(face);
      // A network's exponential may leave the range of numbers.
      if (all_finite(face) && std::min(face.width, face.height) > 0.0) faces.push_back(std::move(face));
    }
    return faces;
  }

 private:
  static resemote_tensor tensor_of(const resemote_tensor_spec& spec) {
    resemote_tensor tensor = resemote_tensor();
    tensor.name = spec.name;
    tensor.dtype = spec.dtype;
    tensor.rank = spec.rank;
    tensor.size_bytes = spec.dtype == RESEMOTE_DTYPE_FLOAT32 ? sizeof(float) : 1;
    for (int axis = 0; axis < spec.rank; ++axis) {
      tensor.dims[axis] = spec.dims[axis];
      tensor.size_bytes *= static_cast<std::size_t>(spec.dims[axis]);
    }
    return tensor;
  }

  void feed() {
    const std::vector<std::uint8_t>& pixels = picture_.pixels();
    if (planes_.empty()) {
      inputs_[0].data = const_cast<std::uint8_t*>(pixels.data());
      return;
    }
    const std::size_t plane = planes_.size() / 3;
    for (std::size_t place = 0; place < plane; ++place) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        planes_[channel * plane + place] = pixels[place * 3 + channel];
      }
    }
    inputs_[0].data = planes_.data();
  }

  void scale(Face& face) const {
    const double across = picture_.across(), down = picture_.down();
    face.x *= across;
    face.y *= down;
    face.width *= across;
    face.height *= down;
    for (Point& point : face.landmarks) point = {point.x * across, point.y * down};
  }

  resemote::Session session_;
  resemote_detector_info info_;
  Reader read_;
  double min_score_ = 0.0;
  Picture picture_;
  std::vector<float> planes_;  // the input, if it is not the pixels themselves
  std::vector<resemote_tensor> inputs_;
  std::vector<resemote_tensor> outputs_;
  std::vector<std::vector<float>> values_;
  Outputs read_from_;
};

}  // namespace

std::unique_ptr<Detector> open_detector(const std::string& name, const resemote_session_options& options,
                                        double min_score) {
  if (name == "none") return std::unique_ptr<Detector>(new WholeFrame);
  return std::unique_ptr<Detector>(new Network(name, options, min_score));
}

}  // namespace resemote_camera
