#include "annotation.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

namespace resemote_camera {
namespace {

// Colours (BGR) that people with any colour vision tell apart (Okabe and Ito), for tracks in turn.
const cv::Scalar PALETTE[] = {{233, 180, 86}, {0, 159, 230}, {115, 158, 0}, {66, 228, 240}, {0, 94, 213}, {167, 121, 204}};
constexpr int COLORS = sizeof PALETTE / sizeof PALETTE[0];
const cv::Scalar UNJUDGED(160, 160, 160), PAPER(24, 24, 24);

cv::Mat in_colors(const Captured& captured) {
  cv::Mat picture;
  if (captured.frame.format == RESEMOTE_PIXEL_NV12) {
    cv::cvtColor(captured.pixels, picture, cv::COLOR_YUV2BGR_NV12);
  } else if (captured.frame.format == RESEMOTE_PIXEL_GRAY8) {
    cv::cvtColor(captured.pixels, picture, cv::COLOR_GRAY2BGR);
  } else {
    picture = captured.pixels.clone();
  }
  return picture;
}

std::string words_of(const FaceResult& face) {
  std::string words = std::to_string(face.track);
  if (face.shown) words += "  " + face.label + "  " + std::to_string(std::lround(face.score * 100)) + " %";
  return face.not_judged == nullptr ? words : words + "  " + face.not_judged;
}

void draw(cv::Mat& picture, const FaceResult& face) {
  const cv::Scalar color = face.shown ? PALETTE[face.track % COLORS] : UNJUDGED;
  const int shorter = std::min(picture.cols, picture.rows);
  const double scale = std::min(std::max(shorter / 1000.0, 0.4), 1.4);
  const int line = std::max(shorter / 300, 1);
  const cv::Rect box(cv::Point(cvRound(face.x), cvRound(face.y)),
                     cv::Point(cvRound(face.x + face.width), cvRound(face.y + face.height)));
  cv::rectangle(picture, box, color, line);
  const std::string words = words_of(face);
  int below = 0;
  const cv::Size text = cv::getTextSize(words, cv::FONT_HERSHEY_SIMPLEX, scale, line, &below);
  const int height = text.height + below + 2 * line;
  const int left = std::max(0, std::min(box.x, picture.cols - text.width - 2 * line));
  const int over = box.y - height;
  const int top = over >= 0 ? over : std::min(box.y + box.height, picture.rows - height);
  cv::rectangle(picture, cv::Rect(left, top, text.width + 2 * line, height), color, cv::FILLED);
  cv::putText(picture, words, cv::Point(left + line, top + text.height + line), cv::FONT_HERSHEY_SIMPLEX, scale, PAPER,
              line, cv::LINE_AA);
}

}  // namespace

cv::Mat annotated(const Captured& captured, const std::vector<FaceResult>& faces) {
  cv::Mat picture = in_colors(captured);
  for (const FaceResult& face : faces) draw(picture, face);
  return picture;
}

}  // namespace resemote_camera
