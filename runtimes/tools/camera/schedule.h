// DetectionSchedule: in which frames the detector looks, and in which the tracker predicts. The Python counterpart is
// camera/schedule.py.
#pragma once

namespace resemote_camera {

class DetectionSchedule {
 public:
  // Detects in every n-th frame; 0 for the smallest n that keeps up with the frames.
  explicit DetectionSchedule(int every);

  // The n in force.
  int every() const { return every_; }
  // Whether the detector should look at this frame; asked once a frame.
  bool due();
  // Takes the measurements of one frame, in seconds. `detecting`: time that the detector took; negative if it did not
  // look. `rest`: time of everything else. `interval`: time from one frame of the source to the next; negative where it
  // has no pace of its own.
  void record(double detecting, double rest, double interval);

 private:
  const bool auto_;
  int every_;
  int since_;
  double detecting_ = -1.0;  // means; negative before the first
  double rest_ = -1.0;
  double interval_ = -1.0;
};

}  // namespace resemote_camera
