#include "scaling.h"

#include <algorithm>
#include <cmath>

namespace resemote_camera {
namespace {

constexpr std::uint32_t ONE = 256;
constexpr std::uint32_t HALF = 1u << 15;

std::vector<Tap> taps_of(int source, int target) {
  std::vector<Tap> taps(static_cast<std::size_t>(target));
  const double step = 1.0 / (static_cast<double>(target) / source);
  for (int place = 0; place < target; ++place) {
    const double exact = step * (place + 0.5) - 0.5;
    const double floor = std::floor(exact);
    const int first = static_cast<int>(floor);
    const bool inside = first >= 0 && first < source - 1;
    Tap& tap = taps[static_cast<std::size_t>(place)];
    tap.weight = inside ? static_cast<std::uint32_t>(std::nearbyint((exact - floor) * ONE)) : 0;
    tap.first = std::min(std::max(first, 0), source - 1);
    tap.second = std::min(tap.first + 1, source - 1);
  }
  return taps;
}

template <int channels>
void halve_row(const std::uint8_t* upper, const std::uint8_t* lower, int width, std::uint8_t* out) {
  for (int x = 0; x < width; ++x, upper += 2 * channels, lower += 2 * channels, out += channels) {
    for (int channel = 0; channel < channels; ++channel) {
      const int sum = upper[channel] + upper[channel + channels] + lower[channel] + lower[channel + channels];
      out[channel] = static_cast<std::uint8_t>((sum + 2) >> 2);
    }
  }
}

}  // namespace

const std::vector<Tap>& Taps::between(int source, int target) {
  if (source_ != source || taps_.size() != static_cast<std::size_t>(target)) taps_ = taps_of(source, target);
  source_ = source;
  return taps_;
}

Samples Scaler::scale(Samples samples, int width, int height) {
  for (int turn = 0; samples.height >= 2 * height && samples.width >= 2 * width; turn = 1 - turn) {
    samples = halved(samples, halves_[turn]);
  }
  if (samples.height == height && samples.width == width) return samples;
  return interpolated(samples, width, height);
}

Samples Scaler::halved(const Samples& samples, std::vector<std::uint8_t>& room) const {
  Samples half = samples;
  half.width /= 2;
  half.height /= 2;
  half.stride = static_cast<std::ptrdiff_t>(half.width) * half.channels;
  room.resize(static_cast<std::size_t>(half.stride) * static_cast<std::size_t>(half.height));
  half.data = room.data();
  std::uint8_t* out = room.data();
  for (int y = 0; y < half.height; ++y, out += half.stride) {
    const std::uint8_t* const upper = samples.data + 2 * y * samples.stride;
    const std::uint8_t* const lower = upper + samples.stride;
    if (half.channels == 1) {
      halve_row<1>(upper, lower, half.width, out);
    } else if (half.channels == 2) {
      halve_row<2>(upper, lower, half.width, out);
    } else {
      halve_row<3>(upper, lower, half.width, out);
    }
  }
  return half;
}

Samples Scaler::interpolated(const Samples& samples, int width, int height) {
  const std::vector<Tap>& down = down_.between(samples.height, height);
  const std::vector<Tap>& across = across_.between(samples.width, width);
  const std::size_t channels = static_cast<std::size_t>(samples.channels);
  const std::size_t row_samples = static_cast<std::size_t>(samples.width) * channels;
  row_.resize(row_samples);
  scaled_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * channels);
  std::uint8_t* out = scaled_.data();
  for (const Tap& tap : down) {
    const std::uint8_t* const upper = samples.data + tap.first * samples.stride;
    const std::uint8_t* const lower = samples.data + tap.second * samples.stride;
    const std::uint32_t below = tap.weight, above = ONE - tap.weight;
    for (std::size_t place = 0; place < row_samples; ++place) {
      row_[place] = static_cast<std::uint16_t>(upper[place] * above + lower[place] * below);
    }
    for (const Tap& column : across) {
      const std::uint16_t* const left = row_.data() + static_cast<std::size_t>(column.first) * channels;
      const std::uint16_t* const right = row_.data() + static_cast<std::size_t>(column.second) * channels;
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const std::uint32_t sum = left[channel] * (ONE - column.weight) + right[channel] * column.weight;
        *out++ = static_cast<std::uint8_t>((sum + HALF) >> 16);
      }
    }
  }
  Samples scaled = samples;
  scaled.data = scaled_.data();
  scaled.width = width;
  scaled.height = height;
  scaled.stride = static_cast<std::ptrdiff_t>(width) * samples.channels;
  return scaled;
}

}  // namespace resemote_camera
