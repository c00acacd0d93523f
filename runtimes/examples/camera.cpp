// Names the expression of the clearest face in each frame of a camera, stream or film: the library in a few lines.
// `resemote camera` is the program for daily use: it follows every face, smooths, reconnects and never falls behind.
//
//   camera CLASSIFIER DETECTOR SOURCE
//
// DETECTOR is an artifact of the family yunet. SOURCE is whatever cv::VideoCapture opens by name.
#include <cmath>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <resemote/runtime.hpp>

// The square around the face with the highest score; none below the detector's own limit.
std::vector<resemote_box> clearest_face(resemote::Session& session, const cv::Mat& frame) {
  const resemote_detector_info info = session.detector();
  const double factor = std::min(info.width / double(frame.cols), info.height / double(frame.rows));
  cv::Mat picture = cv::Mat::zeros(info.height, info.width, CV_8UC3), scaled;
  cv::resize(frame, scaled, {}, factor, factor, cv::INTER_AREA);
  scaled.copyTo(picture(cv::Rect(0, 0, scaled.cols, scaled.rows)));
  // The input is uint8 in the prebuilt detectors, as the spec of the session says.
  resemote_tensor in = {"input", picture.data, picture.total() * 3, RESEMOTE_DTYPE_UINT8, 4, {1, info.height, info.width, 3}};
  std::vector<resemote_tensor> out;
  std::vector<std::vector<float>> values;
  for (int i = 0; i < session.info().output_count; ++i) {
    const resemote_tensor_spec spec = session.output(i);
    values.emplace_back(spec.dims[1] * spec.dims[2]);
    out.push_back({spec.name, values[i].data(), values[i].size() * sizeof(float), spec.dtype, 3, {1, spec.dims[1], spec.dims[2]}});
  }
  session.run({in}, out);
  double best = info.min_score;
  std::vector<resemote_box> found;
  for (int grid = 0, stride = 8; grid < 3; ++grid, stride *= 2) {  // outputs: cls, obj, bbox and kps of each grid
    const int columns = info.width / stride;
    for (std::size_t cell = 0; cell < values[grid].size(); ++cell) {
      const double score = std::sqrt(values[grid][cell] * values[3 + grid][cell]);
      if (score < best) continue;
      best = score;
      const float* box = &values[6 + grid][4 * cell];  // centre from the cell's corner, logarithms of the sides
      const double x = (cell % columns + box[0]) * stride / factor, y = (cell / columns + box[1]) * stride / factor;
      const double height = std::exp(box[3]) * stride / factor;
      const double side = info.framing_scale * std::sqrt(std::exp(box[2]) * stride / factor * height);
      found = {{int(x - side / 2), int(y + info.framing_shift * height - side / 2), int(side), int(side)}};
    }
  }
  return found;
}

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: camera CLASSIFIER DETECTOR SOURCE");
  resemote_classifier_options options = resemote::default_classifier_options();
  options.edges = RESEMOTE_EDGES_REPLICATED;  // a square at the border keeps its shape
  resemote::Classifier classifier(argv[1], resemote::default_session_options(), options);
  resemote::Session detector(argv[2]);
  cv::VideoCapture capture(argv[3]);
  if (!capture.isOpened()) throw std::runtime_error(std::string(argv[3]) + ": cannot be opened");
  for (cv::Mat frame; capture.read(frame);) {
    const resemote_frame view = resemote::frame_of(RESEMOTE_PIXEL_BGR24, frame.cols, frame.rows, frame.data, frame.step);
    for (const resemote::Face& face : classifier.classify(view, clearest_face(detector, frame))) {
      std::cout << classifier.labels()[face.decision.label] << " " << face.decision.score << std::endl;
    }
  }
} catch (const std::exception& error) {
  std::cerr << "camera: " << error.what() << "\n";
  return 1;
}
