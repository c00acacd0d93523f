#include "decider.h"

#include <algorithm>
#include <random>
#include <utility>

namespace resemote_camera {
namespace {

constexpr char NOT_SEEN[] = "not seen";
constexpr char CUT_OFF[] = "cut off by the picture's edge";

// Time for which the last decision about a face is still shown when it cannot be judged, seconds.
constexpr double KEPT_S = 0.7;

// Eight random digits.
std::string session_name() {
  constexpr char DIGITS[] = "0123456789abcdef";
  std::random_device random;
  std::string name;
  for (int digit = 0; digit < 8; ++digit) name += DIGITS[random() % 16];
  return name;
}

// Reason why there is nothing to judge of a face in this frame; null if there is something. `square`: null if the place
// predicted for it lies beyond any frame.
const char* why_out_of_view(const resemote_frame& frame, const Track& track, const resemote_box* square) {
  if (track.missed > 0) return NOT_SEEN;
  // With less than half of it in view, most of the crop would be the repeated edge.
  const bool cut = square == nullptr || pixels_in_view(*square, frame.width, frame.height) <
                                            std::max(MIN_CROP_SIDE, square->width / 2);
  return cut ? CUT_OFF : nullptr;
}

}  // namespace

Decider::Decider(Detector& detector, Judge& judge, std::string source, const DeciderOptions& options)
    : detector_(detector),
      judge_(judge),
      source_(std::move(source)),
      options_(options),
      session_(session_name()),
      schedule_(options.detect_every),
      tracker_(options.tracker) {}

FrameResult Decider::decide(const Captured& captured, bool live, const Counts& dropped) {
  const Clock::time_point begin = Clock::now();
  double detecting = -1.0;
  std::vector<Face> faces;
  if (schedule_.due()) {
    faces = detector_.detect(captured.frame);
    detecting = seconds_between(begin, Clock::now());
  }
  const TrackUpdate update = tracker_.update(detecting < 0.0 ? nullptr : &faces, captured.seconds);
  FrameResult found;
  found.faces = judge(captured.frame, update.tracks, captured.seconds);
  for (const int number : update.ended) {
    smoothers_.erase(number);
    told_.erase(number);
  }
  const double taken = seconds_between(begin, Clock::now());
  schedule_.record(detecting, taken - std::max(detecting, 0.0), live ? interval(captured) : -1.0);
  begun_ = true;
  last_number_ = captured.number;
  last_seconds_ = captured.seconds;
  found.source = source_;
  found.session = session_;
  found.frame = captured.number;
  found.captured_utc = captured.utc;
  found.seconds = captured.seconds;
  found.width = captured.frame.width;
  found.height = captured.frame.height;
  found.decision_age_ms = seconds_between(captured.at, Clock::now()) * 1e3;
  found.ended = update.ended;
  found.dropped = dropped;
  return found;
}

// Time between two frames of the source; dropped ones are counted in. Negative before the second.
double Decider::interval(const Captured& captured) const {
  if (!begun_) return -1.0;
  const std::int64_t frames = std::max<std::int64_t>(captured.number - last_number_, 1);
  const double interval = (captured.seconds - last_seconds_) / static_cast<double>(frames);
  return options_.max_fps > 0.0 ? std::max(interval, 1.0 / options_.max_fps) : interval;
}

// Classifies the faces that can be judged, all in one batch.
std::vector<FaceResult> Decider::judge(const resemote_frame& frame, const std::vector<Track>& tracks, double seconds) {
  std::vector<const char*> reasons(tracks.size(), nullptr);
  std::vector<std::size_t> seen;
  std::vector<Face> faces;
  std::vector<resemote_box> squares;
  for (std::size_t place = 0; place < tracks.size(); ++place) {
    resemote_box square = {};
    const bool framed = detector_.framing.square(tracks[place].face, square);
    reasons[place] = why_out_of_view(frame, tracks[place], framed ? &square : nullptr);
    if (reasons[place] != nullptr) continue;
    seen.push_back(place);
    faces.push_back(tracks[place].face);
    squares.push_back(square);
  }
  const std::vector<Judgement> judgements = judge_.judge(frame, faces, squares, options_.judge_all);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    reasons[seen[i]] = judgements[i].why_not;
    if (judgements[i].why_not != nullptr) continue;
    const auto smoother = smoothers_.emplace(tracks[seen[i]].number, Smoother(options_.smoothing)).first;
    smoother->second.update(judgements[i].probabilities, seconds);
  }
  std::vector<FaceResult> results;
  for (std::size_t place = 0; place < tracks.size(); ++place) {
    results.push_back(result(tracks[place], reasons[place], seconds));
  }
  return results;
}

FaceResult Decider::result(const Track& track, const char* reason, double seconds) {
  FaceResult face;
  face.is_new = told_.insert(track.number).second;
  if (face.is_new) ++faces_;
  face.track = track.number;
  face.x = track.face.x;
  face.y = track.face.y;
  face.width = track.face.width;
  face.height = track.face.height;
  face.detection_score = track.face.score;
  face.detected = track.detected;
  face.not_judged = reason;
  face.seconds = seconds - track.began;
  const auto smoother = smoothers_.find(track.number);
  if (smoother != smoothers_.end() && seconds - smoother->second.at() <= KEPT_S) {
    const Smoothed shown = smoother->second.current();
    face.shown = true;
    face.label = shown.label == UNSURE ? "unsure" : judge_.labels()[static_cast<std::size_t>(shown.label)];
    face.score = shown.score;
    face.probabilities = shown.probabilities;
  }
  return face;
}

}  // namespace resemote_camera
