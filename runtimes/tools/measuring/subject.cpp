#include "measuring/subject.h"

#include <random>

namespace resemote_tools {
namespace {

constexpr std::uint32_t SEED = 1;

// Drawn crops, one below the other: soft ellipses in noise. Their time is that of photographs, because no step depends
// on what is seen.
std::vector<std::uint8_t> drawn_crops(std::size_t count, int side) {
  std::mt19937 random(SEED);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(count * static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  for (std::size_t crop = 0; crop < count; ++crop) {
    for (int row = 0; row < side; ++row) {
      for (int column = 0; column < side; ++column) {
        const double y = 2.0 * row / side - 1.0, x = 2.0 * column / side - 1.0;
        const int level = x * x / 0.55 + y * y / 0.88 < 1.0 ? 150 : 60;
        for (int channel = 0; channel < 3; ++channel) {
          pixels.push_back(static_cast<std::uint8_t>(level + static_cast<int>(random() % 64) - 20 * channel));
        }
      }
    }
  }
  return pixels;
}

}  // namespace

Subject::Subject(const std::string& artifact, const resemote_session_options& options, std::size_t batch, int crop_side)
    : network_(artifact, options, batch),
      batch_(batch),
      pixels_(drawn_crops(batch, crop_side)),
      frame_(resemote::frame_of(RESEMOTE_PIXEL_RGB24, crop_side, crop_side * static_cast<int>(batch), pixels_.data())),
      ready_(network_.feed_bytes() * batch),
      feed_(network_.feed_bytes() * batch),
      outputs_(network_.classes() * batch) {
  for (std::size_t i = 0; i < batch; ++i) boxes_.push_back({0, crop_side * static_cast<int>(i), crop_side, crop_side});
  network_.preprocess(frame_, boxes_, ready_.data());
}

void Subject::run_model() {
  network_.infer(ready_.data(), batch_, outputs_.data());
  crops_done_ += static_cast<long long>(batch_);
}

StageTimes Subject::decide() {
  const std::int64_t begun = now_ns();
  network_.preprocess(frame_, boxes_, feed_.data());
  const std::int64_t prepared = now_ns();
  network_.infer(feed_.data(), batch_, outputs_.data());
  const std::int64_t inferred = now_ns();
  network_.decide(outputs_.data(), batch_);
  const std::int64_t ended = now_ns();
  crops_done_ += static_cast<long long>(batch_);
  return {{prepared - begun, inferred - prepared, ended - inferred}};
}

}  // namespace resemote_tools
