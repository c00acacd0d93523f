// Picture: a frame in the size and colours that a detector's network takes. The Python counterpart is
// faces/detectors/picture.py; both give the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "resemote/runtime.h"
#include "scaling.h"

namespace resemote_camera {

// A frame within the network's input: in the upper left corner, in its own proportions, on black.
class Picture {
 public:
  Picture(int width, int height);

  // Scales a frame of the format gray, BGR24 or NV12. Luma and chroma are scaled before they become colours, which is
  // less work. Throws ToolError on another format.
  void take(const resemote_frame& frame);

  // Rows of BGR without gaps.
  const std::vector<std::uint8_t>& pixels() const { return pixels_; }
  // Pixels of the frame per pixel of the input, from left to right and from top to bottom.
  double across() const { return across_; }
  double down() const { return down_; }

 private:
  void take_gray(const Samples& gray);
  void take_colors(const Samples& colors);
  void take_nv12(const resemote_frame& frame, int columns, int rows);

  const int width_;
  const int height_;
  double across_ = 1.0;
  double down_ = 1.0;
  int columns_ = 0;  // size of the frame within the input; beyond it, everything is black
  int rows_ = 0;
  std::vector<std::uint8_t> pixels_;
  Scaler scaler_;
  Scaler chroma_scaler_;
};

}  // namespace resemote_camera
