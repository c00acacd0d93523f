// Preprocessor: computes the network's input from the boxes of a frame, with the same bits as preprocessing.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "passport.h"
#include "resemote/runtime.h"

namespace resemote_internal {

struct FrameView;
struct Place;

// Smallest side of a crop, in pixels. A smaller crop shows no face.
constexpr int kMinCropSide = 8;

// Largest side of a crop whose edges are replicated, in pixels: no face is twice as large as the largest frame.
constexpr int kMaxReplicatedSide = 32768;

// What becomes of a box that reaches over the frame's border.
enum class Edges { kCut, kReplicated };

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if the frame's description does not allow reading it safely.
void check_frame(const resemote_frame& frame);

// One thread at a time may use it. Allocates memory only if a frame is larger than every one before, or a box with
// replicated edges is.
class Preprocessor {
 public:
  explicit Preprocessor(const PreprocessSpec& spec, Edges edges = Edges::kCut);
  ~Preprocessor();
  Preprocessor(const Preprocessor&) = delete;
  Preprocessor& operator=(const Preprocessor&) = delete;

  // Bytes of the network's input for one face.
  std::size_t feed_bytes() const;

  // Writes the network's input for each box, one after the other, in the form of the passport's input spec. Checks the
  // frame and all boxes first. Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT.
  void run(const resemote_frame& frame, const resemote_box* boxes, std::size_t box_count, void* feed);

 private:
  struct Work;

  std::size_t plane_pixels() const;
  void feed_gray(const FrameView& frame, const Place& place, std::uint8_t* out);
  void feed_colors(const FrameView& frame, const Place& place, std::uint8_t* out);

  PreprocessSpec spec_;
  Edges edges_;
  std::unique_ptr<Work> work_;
};

}  // namespace resemote_internal
