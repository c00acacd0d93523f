// VideoSource: a camera, stream or film, read through OpenCV. The Python counterpart is camera/sources/video.py.
#pragma once

#include <opencv2/videoio.hpp>
#include <string>

#include "../errors.h"
#include "captured.h"

namespace resemote_camera {

// A source that failed, and may work again later.
class SourceError : public resemote_tools::ToolError {
 public:
  explicit SourceError(const std::string& reason, const std::string& hint = "")
      : ToolError(reason, hint), reason_(reason) {}
  // The message without its hint.
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string reason_;
};

struct SourceOptions {
  double fps = 0.0;      // rate to ask a camera for; 0 for the source's own
  int width = 0;         // size to ask a camera for, pixels; 0 for the source's own
  int height = 0;
  double stall_s = 5.0;  // time after which a source that gives nothing counts as failed
};

// Opened anew for every attempt; used by one thread.
class VideoSource {
 public:
  // Throws ToolError if the address can be no source. Nothing is opened yet.
  VideoSource(const std::string& address, const SourceOptions& options);

  // Address as the user wrote it, without a password that it may hold.
  const std::string& name() const { return name_; }
  // Whether frames come at their own pace, so that late ones are dropped; a film waits.
  bool live() const { return kind_ != Kind::FILM; }
  // Frames a second that it says it has; 0 if it does not say. Known once it is open.
  double rate() const { return rate_; }

  // Throws SourceError if it cannot be opened now, ToolError if it never can.
  void open();
  // The next frame, waited for; its pixels and format. Returns false at the end of a film. Throws SourceError if the
  // source broke off.
  bool read(Captured& captured);
  // Releases it; calling it again does nothing.
  void close() { capture_.release(); }
  // Time of the frame that was read last, in its film; negative in a live source.
  double film_time() const;

 private:
  enum class Kind { CAMERA, STREAM, PIPELINE, FILM };

  void open_camera();
  void open_stream();
  void open_pipeline();
  void open_film();
  std::string pipeline() const;
  [[noreturn]] void refuse() const;
  // Path of the device.
  std::string device() const;

  std::string address_;
  std::string name_;
  std::string scheme_;
  Kind kind_;
  SourceOptions options_;
  cv::VideoCapture capture_;
  double rate_ = 0.0;
  bool nv12_ = false;
};

}  // namespace resemote_camera
