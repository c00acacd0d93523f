// Preprocessor: boxes of a frame to what the network is fed. The twin of preprocessing.py, to the bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "passport.h"
#include "resemote/runtime.h"

namespace resemote_internal {

struct Area;
struct FrameView;

// Smallest side of a crop, pixels; below it there is no face left to look at.
constexpr int kMinCropSide = 8;

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where a frame cannot be read safely as it says.
void check_frame(const resemote_frame& frame);

// Used by one thread at a time. Takes memory when a frame is larger than any before, else none.
class Preprocessor {
 public:
  explicit Preprocessor(const PreprocessSpec& spec);
  ~Preprocessor();
  Preprocessor(const Preprocessor&) = delete;
  Preprocessor& operator=(const Preprocessor&) = delete;

  // Bytes of the feed of one face.
  std::size_t feed_bytes() const;

  // Writes the feed of each box, one after the other, as the passport's input spec says. Checks the frame and all boxes
  // before it writes. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT.
  void run(const resemote_frame& frame, const resemote_box* boxes, std::size_t box_count, void* feed);

 private:
  struct Work;

  std::size_t plane_pixels() const;
  void feed_gray(const FrameView& frame, const Area& area, std::uint8_t* out);
  void feed_colors(const FrameView& frame, const Area& area, std::uint8_t* out);

  PreprocessSpec spec_;
  std::unique_ptr<Work> work_;
};

}  // namespace resemote_internal
