#include "video_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <opencv2/core/version.hpp>
#include <opencv2/videoio/registry.hpp>
#include <sstream>
#include <vector>

#include "address.h"

// The limits on waiting, and the way to pass them, came with OpenCV 4.5.2.
#define RESEMOTE_OPENCV_HAS_TIMEOUTS (CV_VERSION_MAJOR > 4 || (CV_VERSION_MAJOR == 4 && \
  (CV_VERSION_MINOR > 5 || (CV_VERSION_MINOR == 5 && CV_VERSION_REVISION >= 2))))

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;

// Pixels of a frame above which a USB 2 camera is asked for JPEG: raw ones come at 5 to 10 frames a second.
constexpr int RAW_PIXELS = 640 * 480;

constexpr int CSI_WIDTH = 1280, CSI_HEIGHT = 720, CSI_FPS = 30;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

bool begins_with(const std::string& text, const std::string& begin) { return text.compare(0, begin.size(), begin) == 0; }

// What follows the scheme, with or without two slashes.
std::string after_scheme(const std::string& address) {
  const std::string rest = address.substr(address.find(':') + 1);
  return begins_with(rest, "//") ? rest.substr(2) : rest;
}

bool has_backend(cv::VideoCaptureAPIs wanted) {
  const std::vector<cv::VideoCaptureAPIs> found = cv::videoio_registry::getBackends();
  return std::find(found.begin(), found.end(), wanted) != found.end();
}

// Whether the last caps of a pipeline that name a format name NV12: elements before them may have another one.
bool gives_nv12(const std::string& pipeline) {
  bool found = false;
  std::istringstream elements(pipeline);
  for (std::string element; std::getline(elements, element, '!');) {
    const std::size_t format = element.find("format=");
    if (element.find("video/x-raw") == std::string::npos || format == std::string::npos) continue;
    const std::string value = element.substr(format + 7);
    found = begins_with(value, "NV12") || begins_with(value, "(string)NV12");
  }
  return found;
}

// FFmpeg, as in Python; an OpenCV that was built without it may still read films and streams through GStreamer.
int film_backend() { return has_backend(cv::CAP_FFMPEG) ? cv::CAP_FFMPEG : cv::CAP_ANY; }

}  // namespace

VideoSource::VideoSource(const std::string& address, const SourceOptions& options)
    : address_(address), name_(without_secrets(address)), scheme_(scheme_of(address)), options_(options) {
  if (is_number(address) || begins_with(address, "/dev/") || scheme_ == "v4l2") {
    kind_ = Kind::CAMERA;
  } else if (scheme_ == "rtsp" || scheme_ == "rtsps" || scheme_ == "http" || scheme_ == "https") {
    kind_ = Kind::STREAM;
  } else if (scheme_ == "gst" || scheme_ == "csi") {
    kind_ = Kind::PIPELINE;
  } else if (scheme_.empty() || scheme_ == "file") {
    kind_ = Kind::FILM;
  } else {
    throw ToolError(name_ + ": no source begins with " + scheme_ + ":",
                    "there are 0, v4l2:///dev/video0, csi://0, rtsp://host/path, http://host/stream.mjpg, "
                    "gst:videotestsrc ! videoconvert ! appsink, film.mp4");
  }
}

void VideoSource::open() {
  capture_.release();
  try {
    switch (kind_) {
      case Kind::CAMERA: open_camera(); break;
      case Kind::STREAM: open_stream(); break;
      case Kind::PIPELINE: open_pipeline(); break;
      case Kind::FILM: open_film(); break;
    }
  } catch (const cv::Exception&) {
    capture_.release();
  }
  if (!capture_.isOpened()) refuse();
  const double rate = capture_.get(cv::CAP_PROP_FPS);
  rate_ = rate >= 0.1 && rate <= 1000.0 ? rate : 0.0;
}

bool VideoSource::read(Captured& captured) {
  cv::Mat pixels;  // a new one, because the frame before may still be in use
  bool seen = false;
  try {
    seen = capture_.read(pixels) && !pixels.empty();
  } catch (const cv::Exception& error) {
    throw SourceError(name_ + ": OpenCV cannot read it (" + error.err + ")");
  }
  if (!seen) {
    if (live()) throw SourceError(name_ + ": gives no more frames");
    return false;
  }
  if (pixels.depth() != CV_8U || (pixels.channels() != 1 && pixels.channels() != 3)) {
    throw ToolError(name_ + ": gives frames of " + std::to_string(pixels.channels()) + " channels",
                    "let it give BGR, gray or NV12, as with: videoconvert ! video/x-raw,format=BGR ! appsink");
  }
  const bool nv12 = nv12_ && pixels.channels() == 1 && pixels.rows % 3 == 0;
  captured.pixels = pixels;
  captured.frame = resemote::frame_of(
      nv12 ? RESEMOTE_PIXEL_NV12 : pixels.channels() == 1 ? RESEMOTE_PIXEL_GRAY8 : RESEMOTE_PIXEL_BGR24, pixels.cols,
      nv12 ? pixels.rows / 3 * 2 : pixels.rows, pixels.data, static_cast<std::int64_t>(pixels.step));
  return true;
}

double VideoSource::film_time() const { return live() ? -1.0 : capture_.get(cv::CAP_PROP_POS_MSEC) / 1e3; }

std::string VideoSource::device() const {
  const std::string path = scheme_ == "v4l2" ? after_scheme(address_) : address_;
  return is_number(path) ? "/dev/video" + path : path;
}

void VideoSource::open_camera() {
  if (!capture_.open(device(), cv::CAP_V4L2)) return;
  if (options_.width > 0) {
    if (options_.width * options_.height > RAW_PIXELS) {
      capture_.set(cv::CAP_PROP_FOURCC, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'));
    }
    capture_.set(cv::CAP_PROP_FRAME_WIDTH, options_.width);
    capture_.set(cv::CAP_PROP_FRAME_HEIGHT, options_.height);
  }
  // The rate comes last: drivers set it anew for every size.
  if (options_.fps > 0.0) capture_.set(cv::CAP_PROP_FPS, options_.fps);
  capture_.set(cv::CAP_PROP_BUFFERSIZE, 1);
}

void VideoSource::open_stream() {
#if RESEMOTE_OPENCV_HAS_TIMEOUTS
  if (has_backend(cv::CAP_FFMPEG)) {
    // FFmpeg would wait for half a minute.
    const int waits = static_cast<int>(std::lround(options_.stall_s * 1000));
    capture_.open(address_, cv::CAP_FFMPEG,
                  {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, waits, cv::CAP_PROP_READ_TIMEOUT_MSEC, waits});
    return;
  }
#endif
  capture_.open(address_, film_backend());
}

// nvarguscamerasrc is the CSI camera of a Jetson. nvvidconv copies its frames out of the GPU's memory, and they stay as
// they are: luma and chroma go to the classifier without a way over BGR.
std::string VideoSource::pipeline() const {
  const std::string rest = after_scheme(address_);
  if (scheme_ != "csi") return rest;
  const int width = options_.width > 0 ? options_.width : CSI_WIDTH;
  const int height = options_.height > 0 ? options_.height : CSI_HEIGHT;
  const long fps = options_.fps > 0.0 ? std::lround(options_.fps) : CSI_FPS;
  return "nvarguscamerasrc sensor-id=" + (rest.empty() ? "0" : rest) + " ! video/x-raw(memory:NVMM), width=" +
         std::to_string(width) + ", height=" + std::to_string(height) + ", framerate=" + std::to_string(fps) +
         "/1 ! nvvidconv ! video/x-raw, format=NV12 ! appsink drop=true max-buffers=1 sync=false";
}

void VideoSource::open_pipeline() {
  if (!has_backend(cv::CAP_GSTREAMER)) {
    throw ToolError("the OpenCV of this program was built without GStreamer",
                    "build it with the OpenCV of JetPack, Debian or Ubuntu");
  }
  const std::string text = pipeline();
  // A frame of NV12 and a gray one look alike to OpenCV.
  nv12_ = gives_nv12(text);
  capture_.open(text, cv::CAP_GSTREAMER);
}

void VideoSource::open_film() {
  const std::string path = scheme_ == "file" ? after_scheme(address_) : address_;
  struct stat facts = {};
  if (::stat(path.c_str(), &facts) != 0) {
    throw ToolError(path + ": " + resemote_tools::system_message(errno), "name a film, camera or stream");
  }
  if (!S_ISREG(facts.st_mode)) throw ToolError(path + ": not a film: it is no regular file");
  if (!capture_.open(path, film_backend())) {
    throw ToolError(path + ": not a film that OpenCV can read here", "convert it to MP4 with H.264");
  }
}

// OpenCV says nothing but no.
void VideoSource::refuse() const {
  if (kind_ == Kind::STREAM) {
    throw SourceError(name_ + ": the stream does not open: nobody answers there, or it asks for another name, password "
                              "or path", "check the address in a player such as VLC");
  }
  if (kind_ == Kind::PIPELINE) throw SourceError(name_ + ": the GStreamer pipeline does not start");
  const std::string path = device();
  struct stat facts = {};
  if (::stat(path.c_str(), &facts) != 0) throw SourceError(name_ + ": there is no device " + path);
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    throw SourceError(name_ + ": no permission for " + path, "add the user to the group of the device");
  }
  throw SourceError(name_ + ": " + path + " does not open: it is in use by another program, or captures no video");
}

}  // namespace resemote_camera
