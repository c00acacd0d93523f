// What resemote camera computes about faces, for tests/native/camera/test_faces.py: C functions that ctypes can call. A
// face is a row of 15 doubles: box, score, landmarks.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "errors.h"
#include "faces/candidates.h"
#include "faces/framing.h"
#include "faces/picture.h"
#include "faces/quality.h"
#include "faces/smoothing.h"
#include "faces/tracker.h"
#include "schedule.h"

#define SHIM_API extern "C" __attribute__((visibility("default")))

using namespace resemote_camera;

namespace {

constexpr int FACE = 15;

std::vector<Face> faces_of(const double* rows, int count, bool landmarks) {
  std::vector<Face> faces;
  for (int i = 0; i < count; ++i, rows += FACE) {
    Face face;
    face.x = rows[0];
    face.y = rows[1];
    face.width = rows[2];
    face.height = rows[3];
    face.score = rows[4];
    for (int point = 5; landmarks && point < FACE; point += 2) face.landmarks.push_back({rows[point], rows[point + 1]});
    faces.push_back(face);
  }
  return faces;
}

void write_face(const Face& face, double* row) {
  const double values[] = {face.x, face.y, face.width, face.height, face.score};
  std::copy(std::begin(values), std::end(values), row);
  for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
    row[5 + 2 * i] = face.landmarks[i].x;
    row[6 + 2 * i] = face.landmarks[i].y;
  }
}

// Runs a body; 0 if it throws ToolError, whose message is written.
template <typename Body>
int guarded(char* message, Body&& body) {
  try {
    body();
    return 1;
  } catch (const resemote_tools::ToolError& error) {
    std::strncpy(message, error.what(), 999);
    return 0;
  }
}

}  // namespace

SHIM_API Tracker* tracker_create(const double* options, int min_detections) {
  TrackerOptions chosen;
  chosen.min_overlap = options[0];
  chosen.reach = options[1];
  chosen.patience_s = options[2];
  chosen.smoothing_s = options[3];
  chosen.min_detections = min_detections;
  return new Tracker(chosen);
}

SHIM_API void tracker_destroy(Tracker* tracker) { delete tracker; }

// `count`: negative where nobody looked. `tracks`: rows of number, detected, missed, began, seen and the face.
SHIM_API int tracker_update(Tracker* tracker, const double* rows, int count, int landmarks, double seconds,
                            double* tracks, int* track_count, int* ended, int* ended_count, char* message) {
  return guarded(message, [&] {
    const std::vector<Face> faces = faces_of(rows, std::max(count, 0), landmarks != 0);
    const TrackUpdate update = tracker->update(count < 0 ? nullptr : &faces, seconds);
    *track_count = static_cast<int>(update.tracks.size());
    for (const Track& track : update.tracks) {
      const double facts[] = {static_cast<double>(track.number), track.detected ? 1.0 : 0.0,
                              static_cast<double>(track.missed), track.began, track.seen};
      tracks = std::copy(std::begin(facts), std::end(facts), tracks);
      write_face(track.face, tracks);
      tracks += FACE;
    }
    *ended_count = static_cast<int>(update.ended.size());
    std::copy(update.ended.begin(), update.ended.end(), ended);
  });
}

SHIM_API Smoother* smoother_create(double time_constant, double hold, double min_score) {
  SmoothingOptions options;
  options.time_constant_s = time_constant;
  options.hold_s = hold;
  options.min_score = min_score;
  return new Smoother(options);
}

SHIM_API void smoother_destroy(Smoother* smoother) { delete smoother; }

SHIM_API int smoother_update(Smoother* smoother, const double* shares, int count, double seconds, int* label,
                             double* score, double* smoothed, char* message) {
  return guarded(message, [&] {
    smoother->update(std::vector<double>(shares, shares + count), seconds);
    const Smoothed shown = smoother->current();
    *label = shown.label;
    *score = shown.score;
    std::copy(shown.probabilities.begin(), shown.probabilities.end(), smoothed);
  });
}

SHIM_API int framing_square(double scale, double shift, const double* face, resemote_box* box) {
  return Framing{scale, shift}.square(faces_of(face, 1, false)[0], *box) ? 1 : 0;
}

SHIM_API void picture_take(const resemote_frame* frame, int width, int height, std::uint8_t* pixels, double* scale) {
  Picture picture(width, height);
  picture.take(*frame);
  std::copy(picture.pixels().begin(), picture.pixels().end(), pixels);
  scale[0] = picture.across();
  scale[1] = picture.down();
}

SHIM_API const char* quality_measure(const double* row, int landmarks, const std::uint8_t* gray, double* measured) {
  const Quality quality = measure_quality(faces_of(row, 1, landmarks != 0)[0], gray);
  const double values[] = {quality.size, quality.brightness, quality.contrast, quality.sharpness, quality.turned,
                           quality.rolled};
  std::copy(std::begin(values), std::end(values), measured);
  return why_not_judged(quality);
}

// `dims`: four numbers for each output, of which the first `ranks` count.
SHIM_API int candidates_read(const char* family, const char** names, const float** values, const std::int64_t* dims,
                             const int* ranks, int outputs, int width, double min_score, double max_overlap,
                             double* rows, int most, char* message) {
  int found = 0;
  const int sound = guarded(message, [&] {
    Outputs named;
    for (int i = 0; i < outputs; ++i) named[names[i]] = {values[i], {dims + 4 * i, dims + 4 * i + ranks[i]}};
    for (const Face& face : keep_best(reader_of(family)(named, width, min_score), max_overlap)) {
      if (found < most) write_face(face, rows + FACE * found);
      ++found;
    }
  });
  return sound != 0 ? found : -1;
}

SHIM_API DetectionSchedule* schedule_create(int every) { return new DetectionSchedule(every); }
SHIM_API void schedule_destroy(DetectionSchedule* schedule) { delete schedule; }
SHIM_API int schedule_due(DetectionSchedule* schedule) { return schedule->due() ? 1 : 0; }
SHIM_API int schedule_record(DetectionSchedule* schedule, double detecting, double rest, double interval) {
  schedule->record(detecting, rest, interval);
  return schedule->every();
}
