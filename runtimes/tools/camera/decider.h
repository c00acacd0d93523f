// Decider: from one frame to what is said of the faces in it. The Python counterpart is camera/decider.py.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "captured.h"
#include "faces/detector.h"
#include "faces/smoothing.h"
#include "faces/tracker.h"
#include "judge.h"
#include "results.h"
#include "schedule.h"

namespace resemote_camera {

struct DeciderOptions {
  int detect_every = 0;  // detect in every n-th frame; 0 for as often as keeps up
  TrackerOptions tracker;
  SmoothingOptions smoothing;
  bool judge_all = false;  // judge faces that are small, dark, blurred or turned away, too
  double max_fps = 0.0;    // frames a second that are decided at most; 0 for all that come
};

// Used by one thread.
class Decider {
 public:
  Decider(Detector& detector, Judge& judge, std::string source, const DeciderOptions& options);

  // Decides one frame, later than the one before. `live`: whether its source has a pace that must be kept up with.
  // `dropped`: frames dropped so far. Throws ToolError or resemote::Failure.
  FrameResult decide(const Captured& captured, bool live, const Counts& dropped);

  const std::string& session() const { return session_; }
  int detect_every() const { return schedule_.every(); }
  // Number of tracks that spoke.
  int faces() const { return faces_; }

 private:
  double interval(const Captured& captured) const;
  std::vector<FaceResult> judge(const resemote_frame& frame, const std::vector<Track>& tracks, double seconds);
  FaceResult result(const Track& track, const char* reason, double seconds);

  Detector& detector_;
  Judge& judge_;
  const std::string source_;
  const DeciderOptions options_;
  const std::string session_;
  DetectionSchedule schedule_;
  Tracker tracker_;
  std::map<int, Smoother> smoothers_;
  std::set<int> told_;
  int faces_ = 0;
  bool begun_ = false;
  std::int64_t last_number_ = 0;
  double last_seconds_ = 0.0;
};

}  // namespace resemote_camera
