#include "preprocessing.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "crop.h"
#include "crop_reader.h"
#include "crop_resizer.h"
#include "error.h"
#include "frame_view.h"
#include "scratch_buffer.h"

namespace resemote_internal {

static_assert(kMinCropSide >= kMinResizeSide, "every crop that is let in can be resized");
static_assert(kMinFrameSide >= kMinCropSide, "every frame that is let in has room for a crop");

namespace {

bool takes_color(InputFormat input) { return input == InputFormat::kRgbU8 || input == InputFormat::kBgrU8; }

// The float of each gray level for one channel. It is computed in double and rounded once.
using Normalized = std::array<float, 256>;

Normalized normalized(double mean, double deviation) {
  Normalized table;
  for (std::size_t level = 0; level < table.size(); ++level) {
    table[level] = static_cast<float>((static_cast<double>(level) / 255.0 - mean) / deviation);
  }
  return table;
}

std::string described(const resemote_box& box, std::size_t index) {
  return "box " + std::to_string(index) + " (x=" + std::to_string(box.x) + ", y=" + std::to_string(box.y) +
         ", width=" + std::to_string(box.width) + ", height=" + std::to_string(box.height) + ")";
}

}  // namespace

// Where a box lies in a frame.
struct Place {
  Area area;  // the part of it within
  Overhang down;
  Overhang across;
};

namespace {

// Sums have 64 bits, because x + width may not fit into 32.
Place placed(const FrameView& frame, const resemote_box& box, Edges edges, std::size_t index) {
  const std::int64_t left = std::max<std::int64_t>(box.x, 0);
  const std::int64_t top = std::max<std::int64_t>(box.y, 0);
  const std::int64_t right = std::min<std::int64_t>(std::int64_t{box.x} + box.width, frame.width);
  const std::int64_t bottom = std::min<std::int64_t>(std::int64_t{box.y} + box.height, frame.height);
  if (right - left < kMinCropSide || bottom - top < kMinCropSide) {
    const std::string side = std::to_string(kMinCropSide);
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                described(box, index) + " has " +
                    std::to_string(std::max<std::int64_t>(right - left, 0)) + "x" +
                    std::to_string(std::max<std::int64_t>(bottom - top, 0)) + " pixels within the frame of " +
                    std::to_string(frame.width) + "x" + std::to_string(frame.height) + "; at least " + side + "x" +
                    side + " must lie there: leave the box out");
  }
  Place place;
  place.area = Area{static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left),
                    static_cast<int>(bottom - top)};
  if (edges == Edges::kCut) return place;
  if (box.width > kMaxReplicatedSide || box.height > kMaxReplicatedSide) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                described(box, index) + " is to be filled with the pixels of the frame's border; its sides may be " +
                    std::to_string(kMaxReplicatedSide) + " pixels at most: leave the box out");
  }
  place.across = {static_cast<int>(left - box.x), static_cast<int>(box.x + box.width - right)};
  place.down = {static_cast<int>(top - box.y), static_cast<int>(box.y + box.height - bottom)};
  return place;
}

}  // namespace

void check_frame(const resemote_frame& frame) { view_of(frame); }

struct Preprocessor::Work {
  explicit Work(const PreprocessSpec& spec) : resizer(spec.height, spec.width) {
    pixels.reserve(static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width));
    if (spec.input != InputFormat::kTensor) return;  // pixels are fed as they are
    for (std::size_t channel = 0; channel < tables.size(); ++channel) {
      tables[channel] = normalized(spec.mean[channel], spec.std[channel]);
    }
  }

  // Allocates for every box of a frame of this size, in any format, and for boxes that are larger.
  void reserve(const FrameView& frame, int height, int width, std::size_t channels) {
    resizer.reserve(std::max(frame.height, height), std::max(frame.width, width));
    room.reserve(channels * static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height));
  }

  CropReader reader;
  CropResizer resizer;
  ScratchBuffer<std::uint8_t> room;    // the crop, if the frame does not have it in the right form
  ScratchBuffer<std::uint8_t> pixels;  // gray pixels of the network's size
  std::array<Normalized, 3> tables;
};

Preprocessor::Preprocessor(const PreprocessSpec& spec, Edges edges) : spec_(spec), edges_(edges) {
  if (spec.height < 1 || spec.width < 1 || spec.channels < 1 || spec.channels > 3) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
                "preprocessing to " + std::to_string(spec.channels) + " channels of " + std::to_string(spec.width) +
                    "x" + std::to_string(spec.height) +
                    " pixels; only 1 to 3 channels of at least one pixel can be fed: export the artifact again");
  }
  work_.reset(new Work(spec));
}

Preprocessor::~Preprocessor() = default;

std::size_t Preprocessor::plane_pixels() const {
  return static_cast<std::size_t>(spec_.height) * static_cast<std::size_t>(spec_.width);
}

std::size_t Preprocessor::feed_bytes() const {
  switch (spec_.input) {
    case InputFormat::kTensor:
      return plane_pixels() * static_cast<std::size_t>(spec_.channels) * sizeof(float);
    case InputFormat::kGrayU8:
      return plane_pixels();
    default:
      return plane_pixels() * 3;
  }
}

void Preprocessor::run(const resemote_frame& frame, const resemote_box* boxes, std::size_t box_count, void* feed) {
  const FrameView view = view_of(frame);
  if (box_count == 0) return;
  if (boxes == nullptr || feed == nullptr) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                std::string(boxes == nullptr ? "boxes" : "the feed") + " is null with a count of " +
                    std::to_string(box_count) + " boxes; pass memory for all of them");
  }
  int height = 0, width = 0;
  for (std::size_t index = 0; index < box_count; ++index) {
    placed(view, boxes[index], edges_, index);
    if (edges_ == Edges::kCut) continue;
    height = std::max(height, boxes[index].height);
    width = std::max(width, boxes[index].width);
  }
  work_->reserve(view, height, width, takes_color(spec_.input) ? 3 : 1);
  std::uint8_t* out = static_cast<std::uint8_t*>(feed);
  for (std::size_t index = 0; index < box_count; ++index, out += feed_bytes()) {
    const Place place = placed(view, boxes[index], edges_, index);
    if (takes_color(spec_.input)) {
      feed_colors(view, place, out);
    } else {
      feed_gray(view, place, out);
    }
  }
}

void Preprocessor::feed_gray(const FrameView& frame, const Place& place, std::uint8_t* out) {
  const Crop crop = work_->reader.gray(frame, place.area, work_->room.get());
  if (spec_.input == InputFormat::kGrayU8) {
    work_->resizer.resize(crop, place.down, place.across, false, out);
    return;
  }
  work_->resizer.resize(crop, place.down, place.across, false, work_->pixels.get());
  const std::uint8_t* pixels = work_->pixels.get();
  const std::size_t count = plane_pixels();
  for (int channel = 0; channel < spec_.channels; ++channel, out += count * sizeof(float)) {
    const float* table = work_->tables[static_cast<std::size_t>(channel)].data();
    // Copied as bytes, because the caller's memory need not be aligned for floats.
    for (std::size_t at = 0; at < count; ++at) std::memcpy(out + at * sizeof(float), table + pixels[at], sizeof(float));
  }
}

void Preprocessor::feed_colors(const FrameView& frame, const Place& place, std::uint8_t* out) {
  const Crop crop = work_->reader.colors(frame, place.area, work_->room.get());
  if (crop.channels == 3) {
    work_->resizer.resize(crop, place.down, place.across, crop.red_first != (spec_.input == InputFormat::kRgbU8), out);
    return;
  }
  work_->resizer.resize(crop, place.down, place.across, false, work_->pixels.get());
  const std::uint8_t* pixels = work_->pixels.get();
  for (std::size_t at = 0; at < plane_pixels(); ++at, out += 3) std::memset(out, pixels[at], 3);
}

}  // namespace resemote_internal
