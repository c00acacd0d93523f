// Sink of annotated pictures: a film of JPEGs (AVI) at a constant rate, which OpenCV writes by itself.
//
// Pictures are repeated where the source was slow or frames were dropped, so that the film's time is the source's. A
// film is complete only when its index is written, at its end: so it has another name until then.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <opencv2/videoio.hpp>

#include "../errors.h"
#include "../file.h"
#include "sink.h"

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;

constexpr std::size_t PICTURES_AHEAD = 16;

constexpr double USUAL_RATE = 30.0;
constexpr double LARGEST_RATE = 120.0;

// Longest time for which one picture is repeated; a longer pause of the source is cut to it.
constexpr double LONGEST_STILL_S = 5.0;

class FilmSink : public Sink {
 public:
  explicit FilmSink(const std::string& path) : path_(path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    partial_ = path.substr(0, begin) + "." + path.substr(begin, path.size() - begin - 4) + ".partial.avi";
  }
  ~FilmSink() override {
    if (!begun_) return;
    writer_.release();
    std::remove(partial_.c_str());
  }

  bool wants_pictures() const override { return true; }
  std::size_t queue_length() const override { return PICTURES_AHEAD; }

  void begin(double rate) override {
    if (rate >= 1.0 && rate <= LARGEST_RATE) rate_ = rate;
  }

  bool write(const SinkItem& item) override {
    if (item.picture.empty()) return true;
    if (!begun_) open(item);
    if (item.picture.size() != size_) {
      throw ToolError(path_ + ": a frame of another size than the film's " + std::to_string(size_.width) + "x" +
                      std::to_string(size_.height) + " pixels");
    }
    if (!held_.empty()) move_on(item.seconds);
    held_ = item.picture;
    seconds_ = item.seconds;
    return true;
  }

  void finish() override {
    if (!begun_) return;
    writer_.write(held_);
    writer_.release();
    begun_ = false;
    const std::int64_t frames = ++written_;
    cv::VideoCapture check(partial_);
    const double found = check.isOpened() ? check.get(cv::CAP_PROP_FRAME_COUNT) : 0.0;
    check.release();
    if (std::llround(found) != frames) {
      std::remove(partial_.c_str());
      throw ToolError(path_ + ": " + std::to_string(std::llround(found)) + " of " + std::to_string(frames) +
                          " frames can be read back, so it was not kept",
                      "look at the disk's free space, and at limits on the size of files");
    }
    if (std::rename(partial_.c_str(), path_.c_str()) != 0) {
      throw ToolError(path_ + ": " + resemote_tools::system_message(errno));
    }
  }

 private:
  void open(const SinkItem& item) {
    size_ = item.picture.size();
    start_ = item.seconds;
    if (!writer_.open(partial_, cv::CAP_OPENCV_MJPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), rate_, size_)) {
      throw ToolError(path_ + ": cannot be written", "pass a path in a folder that can be written");
    }
    begun_ = true;
  }

  // Writes the held picture up to the time of the next one.
  void move_on(double seconds) {
    const std::int64_t longest = std::max<std::int64_t>(std::llround(LONGEST_STILL_S * rate_), 1);
    std::int64_t step = std::llround((seconds - start_) * rate_) - place_;
    if (seconds < seconds_ || step > longest) {
      step = seconds < seconds_ ? 1 : longest;
      start_ = seconds - static_cast<double>(place_ + step) / rate_;
    }
    for (std::int64_t turn = 0; turn < step; ++turn, ++written_, ++place_) writer_.write(held_);
  }

  const std::string path_;
  std::string partial_;
  double rate_ = USUAL_RATE;
  cv::VideoWriter writer_;
  bool begun_ = false;
  cv::Size size_;
  cv::Mat held_;
  double start_ = 0.0;    // of the film, in the source's time
  double seconds_ = 0.0;  // of the held picture
  std::int64_t place_ = 0;
  std::int64_t written_ = 0;
};

}  // namespace

std::unique_ptr<Sink> open_film_sink(const std::string& address, Existing existing) {
  if (existing == Existing::APPEND) {
    throw ToolError(address + ": nothing can be appended to a film", "leave --append out");
  }
  resemote_tools::check_output(address, existing == Existing::REPLACE);
  return std::unique_ptr<Sink>(new FilmSink(address));
}

}  // namespace resemote_camera
