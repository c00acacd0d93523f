// Tracker: which face of this frame is which face of the frames before. The Python counterpart is faces/tracker.py,
// which says how it works; both follow the same tracks, as all arithmetic is in doubles and in one order.
#pragma once

#include <array>
#include <limits>
#include <vector>

#include "face.h"

namespace resemote_camera {

struct TrackerOptions {
  double min_overlap = 0.25;   // smallest intersection over union of a face and the place predicted for it
  double reach = 0.6;          // largest distance of the centres where they overlap less, in units of the face's size
  double patience_s = 0.7;     // time that a face may stay unseen before its track ends
  int min_detections = 3;      // detections of a face before its track speaks
  double smoothing_s = 0.04;   // time constant of the box; 0 takes every box as it was detected
};

// One face over time, as it stands in one frame.
struct Track {
  int number;     // from 1, never used again
  Face face;      // its place in this frame, filtered; score and landmarks are those of the last detection
  bool detected;  // whether a detector saw the face in this frame
  int missed;     // detections in a row that did not find the face
  double began;   // time of the first detection, seconds
  double seen;    // time of the last detection, seconds
};

struct TrackUpdate {
  std::vector<Track> tracks;  // those that speak, in the order of their numbers
  std::vector<int> ended;     // numbers of those that ended with this frame
};

class Tracker {
 public:
  explicit Tracker(const TrackerOptions& options = TrackerOptions()) : options_(options) {}

  // Takes one frame. `faces`: those that were detected in it; null if no detector looked at it. `seconds`: time of the
  // frame, later than that of the frame before. Throws ToolError if it is not.
  TrackUpdate update(const std::vector<Face>* faces, double seconds);

 private:
  // Centre, width and height.
  using Position = std::array<double, 4>;

  struct State {
    Face face;
    double began;
    double seen;
    double at;
    Position position;
    Position speed{};
    int number = 0;
    int detections = 1;
    int missed = 0;
    bool seen_now = true;  // in the frame of this update
  };

  static Position position_of(const Face& face);
  static Position predicted(const State& state, double seconds);
  static Track track_of(const State& state, double seconds);
  void assign(const std::vector<Face>& faces, const std::vector<Position>& places, double seconds);
  // How well a face fits a place: above 1 where they overlap, below if it is only near; NaN if it does not fit.
  double closeness(const Position& place, const Face& face, double elapsed) const;
  void correct(State& state, const Position& place, const Face& face, double seconds);
  void number(State& state);
  std::vector<int> end(double seconds);

  TrackerOptions options_;
  std::vector<State> states_;
  int last_number_ = 0;
  double now_ = -std::numeric_limits<double>::infinity();
};

}  // namespace resemote_camera
