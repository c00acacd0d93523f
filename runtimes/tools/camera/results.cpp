#include "results.h"

#include <cmath>
#include <ctime>
#include <iomanip>
#include <locale>
#include <nlohmann/json.hpp>
#include <sstream>

namespace resemote_camera {
namespace {

// Digits after the point, of what is rounded to what it means.
constexpr int PIXEL_DIGITS = 1, SHARE_DIGITS = 4, SCORE_DIGITS = 3, TIME_DIGITS = 3, STAMP_DIGITS = 6;

// A stream that writes numbers as JSON has them, whatever locale a window's library sets.
class Writer {
 public:
  Writer() { stream_.imbue(std::locale::classic()); }

  Writer& raw(const std::string& text) {
    stream_ << text;
    return *this;
  }
  Writer& key(const char* name) {
    stream_ << (first_ ? "\"" : ",\"") << name << "\":";
    first_ = false;
    return *this;
  }
  Writer& begin() {
    stream_ << '{';
    first_ = true;
    return *this;
  }
  Writer& end() {
    stream_ << '}';
    first_ = false;
    return *this;
  }
  Writer& number(double value, int digits) {
    stream_ << std::fixed << std::setprecision(digits) << value;
    return *this;
  }
  Writer& integer(std::int64_t value) {
    stream_ << value;
    return *this;
  }
  std::string str() const { return stream_.str(); }

 private:
  std::ostringstream stream_;
  bool first_ = true;
};

// ISO 8601 with milliseconds.
std::string stamp(double utc) {
  const std::time_t whole = static_cast<std::time_t>(std::floor(utc));
  std::tm parts = {};
  gmtime_r(&whole, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const int milliseconds = static_cast<int>((utc - static_cast<double>(whole)) * 1000);
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream << text << '.' << std::setw(3) << std::setfill('0') << milliseconds << "+00:00";
  return stream.str();
}

void write_face(Writer& writer, const FaceResult& face, const std::vector<std::string>& labels) {
  writer.begin().key("track").integer(face.track);
  writer.key("event").raw(face.is_new ? "\"new\"" : "\"update\"");
  writer.key("x").number(face.x, PIXEL_DIGITS).key("y").number(face.y, PIXEL_DIGITS);
  writer.key("width").number(face.width, PIXEL_DIGITS).key("height").number(face.height, PIXEL_DIGITS);
  writer.key("detection_score").number(face.detection_score, SCORE_DIGITS);
  writer.key("detected").raw(face.detected ? "true" : "false");
  writer.key("label").raw(face.shown ? json_text(face.label) : "null");
  writer.key("score");
  if (face.shown) {
    writer.number(face.score, SHARE_DIGITS);
  } else {
    writer.raw("null");
  }
  writer.key("probabilities").begin();
  for (std::size_t label = 0; face.shown && label < labels.size(); ++label) {
    if (label > 0) writer.raw(",");
    writer.raw(json_text(labels[label]) + ":").number(face.probabilities[label], SHARE_DIGITS);
  }
  writer.end().key("not_judged").raw(face.not_judged == nullptr ? "null" : json_text(face.not_judged));
  writer.key("seconds").number(face.seconds, TIME_DIGITS).end();
}

}  // namespace

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_line(const FrameResult& result, const std::vector<std::string>& labels) {
  Writer writer;
  writer.begin().key("schema_version").integer(SCHEMA_VERSION);
  writer.key("source").raw(json_text(result.source)).key("session").raw(json_text(result.session));
  writer.key("frame").integer(result.frame).key("captured_utc").raw("\"" + stamp(result.captured_utc) + "\"");
  writer.key("seconds").number(result.seconds, STAMP_DIGITS);
  writer.key("width").integer(result.width).key("height").integer(result.height);
  writer.key("decision_age_ms").number(result.decision_age_ms, TIME_DIGITS);
  writer.key("faces").raw("[");
  for (std::size_t place = 0; place < result.faces.size(); ++place) {
    if (place > 0) writer.raw(",");
    write_face(writer, result.faces[place], labels);
  }
  writer.raw("]").key("ended").raw("[");
  for (std::size_t place = 0; place < result.ended.size(); ++place) {
    if (place > 0) writer.raw(",");
    writer.integer(result.ended[place]);
  }
  writer.raw("]").key("dropped").raw("{");
  bool first = true;
  for (const auto& entry : result.dropped) {
    writer.raw((first ? "" : ",") + json_text(entry.first) + ":").integer(entry.second);
    first = false;
  }
  return writer.raw("}").end().str();
}

}  // namespace resemote_camera
