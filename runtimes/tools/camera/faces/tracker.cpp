#include "tracker.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "../../errors.h"

namespace resemote_camera {
namespace {

// A track that was not seen is carried on by its speed for this long, in seconds; then it stands still.
constexpr double CARRIED_S = 0.3;

// Shortest time between two detections that a speed is taken from, in seconds; frames that a network held back come in a
// burst.
constexpr double SHORTEST_S = 0.005;

// How much further a face may be from its predicted place for each second that it was not seen, in units of its size.
constexpr double DRIFT = 1.5;

// Largest ratio of the sides of two boxes of one face.
constexpr double SIZE_RATIO = 2.0;

constexpr std::size_t NOBODY = static_cast<std::size_t>(-1);

}  // namespace

TrackUpdate Tracker::update(const std::vector<Face>* faces, double seconds) {
  if (!std::isfinite(seconds) || seconds <= now_) {
    throw resemote_tools::ToolError("a frame at " + std::to_string(seconds) + " s cannot follow one at " +
                                    std::to_string(now_) + " s");
  }
  now_ = seconds;
  std::vector<Position> places;
  for (State& state : states_) {
    places.push_back(predicted(state, seconds));
    state.seen_now = false;
  }
  if (faces != nullptr) assign(*faces, places, seconds);
  TrackUpdate update;
  update.ended = end(seconds);
  for (const State& state : states_) {
    if (state.number != 0) update.tracks.push_back(track_of(state, seconds));
  }
  std::sort(update.tracks.begin(), update.tracks.end(),
            [](const Track& one, const Track& other) { return one.number < other.number; });
  return update;
}

void Tracker::assign(const std::vector<Face>& faces, const std::vector<Position>& places, double seconds) {
  std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
  for (std::size_t place = 0; place < places.size(); ++place) {
    for (std::size_t index = 0; index < faces.size(); ++index) {
      const double close = closeness(places[place], faces[index], seconds - states_[place].at);
      if (!std::isnan(close)) pairs.emplace_back(-close, place, index);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::size_t> state_of(faces.size(), NOBODY), face_of(places.size(), NOBODY);
  for (const auto& pair : pairs) {
    const std::size_t place = std::get<1>(pair), index = std::get<2>(pair);
    if (state_of[index] != NOBODY || face_of[place] != NOBODY) continue;
    state_of[index] = place;
    face_of[place] = index;
  }
  for (std::size_t place = 0; place < places.size(); ++place) {
    if (face_of[place] == NOBODY) {
      ++states_[place].missed;
    } else {
      correct(states_[place], places[place], faces[face_of[place]], seconds);
    }
  }
  for (std::size_t index = 0; index < faces.size(); ++index) {
    if (state_of[index] != NOBODY) continue;
    State state;
    state.face = faces[index];
    state.began = state.seen = state.at = seconds;
    state.position = position_of(faces[index]);
    number(state);
    states_.push_back(state);
  }
}

double Tracker::closeness(const Position& place, const Face& face, double elapsed) const {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const double x = place[0], y = place[1], width = place[2], height = place[3];
  const double size = std::sqrt(width * height);
  const double ratio = size / std::sqrt(face.width * face.height);
  if (!(1 / SIZE_RATIO <= ratio && ratio <= SIZE_RATIO)) return nothing;
  Face box;
  box.x = x - width / 2;
  box.y = y - height / 2;
  box.width = width;
  box.height = height;
  const double shared = overlap(box, face);
  if (shared >= options_.min_overlap) return 1.0 + shared;
  const double distance = std::hypot(face.x + face.width / 2 - x, face.y + face.height / 2 - y) / size;
  return distance <= options_.reach + DRIFT * elapsed ? 1.0 - distance : nothing;
}

void Tracker::correct(State& state, const Position& place, const Face& face, double seconds) {
  const double elapsed = seconds - state.at;
  const double gain = options_.smoothing_s == 0.0 ? 1.0 : 1.0 - std::exp(-elapsed / options_.smoothing_s);
  const double moved = std::max(elapsed, SHORTEST_S);
  double pull = gain * gain / (2.0 - gain) / moved;
  // One detection tells no speed: the second gives a first estimate, and from the third on it is filtered.
  if (state.detections == 1) pull = 1.0 / moved;
  const Position measured = position_of(face);
  for (std::size_t axis = 0; axis < measured.size(); ++axis) {
    const double residual = measured[axis] - place[axis];
    state.position[axis] = place[axis] + gain * residual;
    if (axis < 2) state.speed[axis] += pull * residual;  // sizes change too slowly to extrapolate them
  }
  state.face = face;
  state.seen = state.at = seconds;
  ++state.detections;
  state.missed = 0;
  state.seen_now = true;
  number(state);
}

void Tracker::number(State& state) {
  if (state.number == 0 && state.detections >= options_.min_detections) state.number = ++last_number_;
}

// Drops tracks that were not seen for too long, and those that never spoke at the first miss.
std::vector<int> Tracker::end(double seconds) {
  std::vector<int> ended;
  std::vector<State> left;
  for (State& state : states_) {
    const bool over = state.missed != 0 && (state.number == 0 || seconds - state.seen > options_.patience_s);
    if (!over) {
      left.push_back(std::move(state));
    } else if (state.number != 0) {
      ended.push_back(state.number);
    }
  }
  states_ = std::move(left);
  std::sort(ended.begin(), ended.end());
  return ended;
}

Track Tracker::track_of(const State& state, double seconds) {
  const Position place = predicted(state, seconds);
  const Face& last = state.face;
  Track track{state.number, last, state.seen_now, state.missed, state.began, state.seen};
  track.face.x = place[0] - place[2] / 2;
  track.face.y = place[1] - place[3] / 2;
  track.face.width = place[2];
  track.face.height = place[3];
  const double right = place[0] - (last.x + last.width / 2), down = place[1] - (last.y + last.height / 2);
  for (Point& point : track.face.landmarks) point = {point.x + right, point.y + down};
  return track;
}

Tracker::Position Tracker::position_of(const Face& face) {
  return {{face.x + face.width / 2, face.y + face.height / 2, face.width, face.height}};
}

// Place of a track at a time: on at its speed, for as long as that can be trusted.
Tracker::Position Tracker::predicted(const State& state, double seconds) {
  const double elapsed = std::min(seconds - state.at, CARRIED_S);
  Position place{};
  for (std::size_t axis = 0; axis < place.size(); ++axis) {
    place[axis] = state.position[axis] + state.speed[axis] * elapsed;
  }
  return place;
}

}  // namespace resemote_camera
