// Shows the expressions of the faces in front of a camera.
//
//   camera ARTIFACT SOURCE [--detector FILE.xml|none] [--json] [--frames N] [--every-frame] [--backend NAME]
//
// SOURCE is a device number, a file, an RTSP address, "csi" for the camera of a Jetson, or any GStreamer pipeline that
// ends in appsink. Frames of a live source are not queued: after each frame, the newest one is next. --every-frame
// takes all of them in order, which is useful for a file. --json writes one line per frame instead of showing a window.
//
// The detector is the OpenCV cascade in Debian's opencv-data. With "none", the whole frame is one face.
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <opencv2/highgui.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "resemote/runtime.hpp"

namespace {

constexpr char kCascade[] = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml";

// nvarguscamerasrc is the CSI camera of a Jetson; nvvidconv copies its frames from GPU memory.
constexpr char kCsi[] =
    "nvarguscamerasrc ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1 ! nvvidconv ! "
    "video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false";

struct Arguments {
  std::string artifact;
  std::string source;
  std::string detector = kCascade;
  std::string backend = "auto";
  bool json = false;
  bool every_frame = false;
  long frames = -1;  // all
};

Arguments parse(int argc, char** argv) {
  Arguments found;
  std::vector<std::string> rest;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::runtime_error(word + " needs a value");
      return argv[++i];
    };
    if (word == "--json") {
      found.json = true;
    } else if (word == "--every-frame") {
      found.every_frame = true;
    } else if (word == "--detector") {
      found.detector = value();
    } else if (word == "--backend") {
      found.backend = value();
    } else if (word == "--frames") {
      found.frames = std::strtol(value().c_str(), nullptr, 10);
    } else {
      rest.push_back(word);
    }
  }
  if (rest.size() != 2) throw std::runtime_error("usage: camera ARTIFACT SOURCE [options]; see the head of camera.cpp");
  found.artifact = rest[0];
  found.source = rest[1];
  return found;
}

cv::VideoCapture open_source(const std::string& source) {
  cv::VideoCapture capture;
  if (source == "csi") {
    capture.open(kCsi, cv::CAP_GSTREAMER);
  } else if (source.find('!') != std::string::npos) {
    capture.open(source, cv::CAP_GSTREAMER);
  } else if (source.find_first_not_of("0123456789") == std::string::npos) {
    capture.open(std::atoi(source.c_str()));
    capture.set(cv::CAP_PROP_BUFFERSIZE, 1);
  } else {
    capture.open(source);
  }
  if (!capture.isOpened()) throw std::runtime_error(source + ": cannot be opened as a camera, file or stream");
  return capture;
}

// Provides the next frame. For a live source, it is the newest, and the frames it replaces are counted.
class Frames {
 public:
  Frames(const std::string& source, bool every_frame)
      : capture_(open_source(source)), every_frame_(every_frame), thread_(&Frames::read, this) {}

  ~Frames() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // Returns false at the end. `dropped`: number of frames skipped since the last one.
  bool next(cv::Mat& frame, long& dropped) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0 || ended_; });
    if (waiting_ == 0) return false;
    cv::swap(frame, newest_);
    dropped = waiting_ - 1;
    waiting_ = 0;
    lock.unlock();
    changed_.notify_all();
    return true;
  }

 private:
  void read() {
    cv::Mat frame;
    while (capture_.read(frame) && !frame.empty()) {
      std::unique_lock<std::mutex> lock(mutex_);
      if (every_frame_) changed_.wait(lock, [this] { return waiting_ == 0 || stopping_; });
      if (stopping_) break;
      cv::swap(frame, newest_);
      ++waiting_;
      lock.unlock();
      changed_.notify_all();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  cv::VideoCapture capture_;
  const bool every_frame_;
  std::mutex mutex_;
  std::condition_variable changed_;
  cv::Mat newest_;
  long waiting_ = 0;
  bool ended_ = false;
  bool stopping_ = false;
  std::thread thread_;  // declared last, because it uses all members above
};

class Detector {
 public:
  explicit Detector(const std::string& file) : whole_frame_(file == "none") {
    if (!whole_frame_ && !cascade_.load(file)) {
      throw std::runtime_error(file + ": no cascade there; install opencv-data, or pass --detector none");
    }
  }

  std::vector<resemote_box> operator()(const cv::Mat& frame, std::size_t most) {
    if (whole_frame_) return {{0, 0, frame.cols, frame.rows}};
    cv::cvtColor(frame, gray_, cv::COLOR_BGR2GRAY);
    std::vector<cv::Rect> found;
    cascade_.detectMultiScale(gray_, found, 1.2, 5, 0, cv::Size(48, 48));
    std::vector<resemote_box> boxes;
    for (std::size_t i = 0; i < found.size() && i < most; ++i) {
      boxes.push_back({found[i].x, found[i].y, found[i].width, found[i].height});
    }
    return boxes;
  }

 private:
  const bool whole_frame_;
  cv::CascadeClassifier cascade_;
  cv::Mat gray_;
};

void print_line(long number, long dropped, const std::vector<resemote_box>& boxes,
                const std::vector<resemote::Face>& faces, const std::vector<std::string>& labels) {
  std::cout << "{\"frame\": " << number << ", \"dropped\": " << dropped << ", \"faces\": [";
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const resemote_box& box = boxes[i];
    std::cout << (i > 0 ? ", " : "") << "{\"box\": [" << box.x << ", " << box.y << ", " << box.width << ", "
              << box.height << "], \"label\": \"" << labels[static_cast<std::size_t>(faces[i].decision.label)]
              << "\", \"score\": " << faces[i].decision.score << "}";
  }
  std::cout << "]}" << std::endl;
}

// Returns false if the user wants to stop.
bool show(cv::Mat& frame, const std::vector<resemote_box>& boxes, const std::vector<resemote::Face>& faces,
          const std::vector<std::string>& labels) {
  const cv::Scalar color(64, 200, 64);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const cv::Rect box(boxes[i].x, boxes[i].y, boxes[i].width, boxes[i].height);
    const int percent = static_cast<int>(100 * faces[i].decision.score + 0.5F);
    const std::string text =
        labels[static_cast<std::size_t>(faces[i].decision.label)] + " " + std::to_string(percent) + " %";
    cv::rectangle(frame, box, color, 2);
    cv::putText(frame, text, cv::Point(box.x, std::max(box.y - 8, 16)), cv::FONT_HERSHEY_SIMPLEX, 0.6, color, 2);
  }
  cv::imshow("resemote", frame);
  const int key = cv::waitKey(1);
  return key != 27 && key != 'q';
}

void run(const Arguments& arguments) {
  resemote_session_options session = resemote::default_session_options();
  session.backend = arguments.backend.c_str();
  const resemote_classifier_options options = resemote::default_classifier_options();
  resemote::Classifier classifier(arguments.artifact, session, options);
  Detector detect(arguments.detector);
  Frames frames(arguments.source, arguments.every_frame);
  cv::Mat frame;
  long dropped = 0;
  for (long number = 0; number != arguments.frames && frames.next(frame, dropped); ++number) {
    const std::vector<resemote_box> boxes = detect(frame, static_cast<std::size_t>(options.max_faces));
    const resemote_frame picture = resemote::frame_of(RESEMOTE_PIXEL_BGR24, frame.cols, frame.rows, frame.data,
                                                      static_cast<std::int64_t>(frame.step));
    const std::vector<resemote::Face> faces = classifier.classify(picture, boxes);
    if (arguments.json) {
      print_line(number, dropped, boxes, faces, classifier.labels());
    } else if (!show(frame, boxes, faces, classifier.labels())) {
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "camera: " << error.what() << "\n";
    return 1;
  }
}
