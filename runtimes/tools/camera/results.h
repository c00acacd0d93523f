// Results: what is said of one frame. The Python counterpart is camera/results.py, whose schema the lines of JSON have.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace resemote_camera {

constexpr int SCHEMA_VERSION = 1;

using Counts = std::map<std::string, std::int64_t>;

// One face in one frame.
struct FaceResult {
  int track = 0;
  bool is_new = false;  // in the first frame that speaks of the track
  double x = 0.0;       // box, pixels of the frame
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;
  double detection_score = 0.0;
  bool detected = false;  // whether the detector saw the face in this frame; if not, its place is a prediction
  bool shown = false;     // whether the face was judged lately; what follows is empty if not
  std::string label;      // a class, or "unsure"
  double score = 0.0;     // probability of the most likely class, smoothed
  std::vector<double> probabilities;   // of each class
  const char* not_judged = nullptr;    // reason why the face was not judged in this frame; null if it was
  double seconds = 0.0;                // since the track began
};

// One frame that was decided.
struct FrameResult {
  std::string source;
  std::string session;
  std::int64_t frame = 0;
  double captured_utc = 0.0;  // seconds since 1970
  double seconds = 0.0;
  int width = 0;
  int height = 0;
  double decision_age_ms = 0.0;
  std::vector<FaceResult> faces;
  std::vector<int> ended;
  Counts dropped;
};

// A result as one line of JSON, without the line feed. `labels`: names of the classes.
std::string json_line(const FrameResult& result, const std::vector<std::string>& labels);

// Text as a string of JSON, with its quotes. Bytes that are not UTF-8 become replacement characters.
std::string json_text(const std::string& text);

}  // namespace resemote_camera
