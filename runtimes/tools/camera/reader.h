// FrameReader: a thread that takes frames from a source, opens it again when it fails, and notices when it is silent. The
// Python counterpart is camera/reader.py.
//
// A thread that hangs in a driver or decoder cannot be ended. The watchdog leaves it behind, and a new thread opens the
// source anew; what the old one still delivers is thrown away.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "captured.h"
#include "video_source.h"

namespace resemote_camera {

struct ReaderOptions {
  double max_fps = 0.0;     // frames a second that are passed on at most; 0 for all
  bool reconnect = true;    // whether a live source that failed is opened again
  double give_up_s = 0.0;   // time without a frame after which it is given up; 0 for never
  bool every_frame = false; // whether the frames of a live source wait, too
};

class FrameReader {
 public:
  // `notice` is told when the source fails and when it is back, by threads of the reader. Throws ToolError if the
  // address can be no source.
  FrameReader(const std::string& address, const SourceOptions& source, const ReaderOptions& options,
              std::function<void(const std::string&)> notice);
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  const std::string& name() const;
  bool live() const;
  double rate() const;  // as VideoSource::rate

  // Opens the source and begins to read. Returns false if `goes_on` did before the source was open. Throws what
  // VideoSource::open does.
  bool start(const std::function<bool()>& goes_on);
  // The next frame; false if none came in time.
  bool take(Captured& captured, double timeout_s);
  // Whether no frame is left and none will come.
  bool ended() const;
  // Whether the source failed and is not back.
  bool lost() const;
  // Why the source ended before its end; null if it did not.
  std::exception_ptr failure() const;
  // Frames that the source gave.
  std::int64_t captured() const;
  // Frames that were not passed on, by reason.
  std::map<std::string, std::int64_t> dropped() const;
  // Number of times that the source came back after it had failed.
  int restarts() const;
  // Stops reading, and releases the source as soon as it lets go. Returns whether it did; if not, its thread hangs, and
  // the program must not wait for it.
  bool close();

 private:
  class Work;
  std::shared_ptr<Work> work_;  // shared with its threads, which may outlive the reader
};

}  // namespace resemote_camera
