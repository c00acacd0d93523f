// Scaling of whole frames: fast, and the same bits as vision/scaling.py.
//
// A frame is halved by means of 2x2 pixels, rounded to nearest, as long as it is at least twice as large as wanted; the
// rest is bilinear interpolation with weights in units of 1/256, rounded once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace resemote_camera {

// Rows of eight-bit samples. It does not own their memory.
struct Samples {
  const std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from one row to the next
  int width;              // pixels
  int height;             // pixels
  int channels;           // samples of a pixel, side by side
};

// The two samples that each sample of a scaled row or column lies between, and the weight of the second in units of 1/256.
struct Tap {
  int first;
  int second;
  std::uint32_t weight;
};

// The taps of a row or column. They stay while its sizes do, as they do from one frame to the next.
class Taps {
 public:
  const std::vector<Tap>& between(int source, int target);

 private:
  int source_ = 0;
  std::vector<Tap> taps_;
};

// Scales pictures, one after the other; keeps its memory.
class Scaler {
 public:
  // The picture in another size. It lies in this scaler's memory until the next call, or is `samples` itself.
  Samples scale(Samples samples, int width, int height);

 private:
  Samples halved(const Samples& samples, std::vector<std::uint8_t>& room) const;
  Samples interpolated(const Samples& samples, int width, int height);

  std::vector<std::uint8_t> halves_[2];
  std::vector<std::uint8_t> scaled_;
  std::vector<std::uint16_t> row_;
  Taps down_;
  Taps across_;
};

}  // namespace resemote_camera
