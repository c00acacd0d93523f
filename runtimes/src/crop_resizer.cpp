#include "crop_resizer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace resemote_internal {

namespace {

// Columns that are summed together.
constexpr int kColumns = 8;
static_assert(kColumns <= kMinResizeSide, "the last block of a row reaches back into the one before");

inline std::uint64_t sample_at(const std::uint8_t* samples, int column) {
  return std::uint64_t{samples[column]} << (8 * column);
}

// Written out, so that compilers make one load of it. samples[0] is the lowest byte in any byte order.
inline std::uint64_t eight_samples(const std::uint8_t* samples) {
  return sample_at(samples, 0) | sample_at(samples, 1) | sample_at(samples, 2) | sample_at(samples, 3) |
         sample_at(samples, 4) | sample_at(samples, 5) | sample_at(samples, 6) | sample_at(samples, 7);
}

// Computes the sums of one block of columns: sample times weight, over the rows of the taps. Weights sum to 2^16, so a
// sum stays below 2^24. One product of 64 bits therefore computes two columns, four apart, without a carry between
// them. This is equally fast with every compiler and flag, whereas a loop may or may not become vector instructions.
void sum_block(const std::uint8_t* samples, std::ptrdiff_t stride, const Taps& taps, std::uint32_t* out) {
  constexpr std::uint64_t kTwoSamples = 0x000000FF000000FF;
  std::uint64_t sums[4] = {};
  for (int tap = 0; tap < taps.count; ++tap) {
    const std::uint64_t packed = eight_samples(samples + tap * stride);
    const std::uint64_t weight = taps.weights[tap];
    sums[0] += (packed & kTwoSamples) * weight;
    sums[1] += ((packed >> 8) & kTwoSamples) * weight;
    sums[2] += ((packed >> 16) & kTwoSamples) * weight;
    sums[3] += ((packed >> 24) & kTwoSamples) * weight;
  }
  for (int column = 0; column < 4; ++column) {
    out[column] = static_cast<std::uint32_t>(sums[column]);
    out[column + 4] = static_cast<std::uint32_t>(sums[column] >> 32);
  }
}

// Computes one target row that is still as wide as the source: `width` samples of any channels.
void sum_rows(const Crop& crop, int width, const Taps& taps, std::uint32_t* out) {
  const std::uint8_t* samples = crop.data + taps.first * crop.stride;
  for (int x = 0; x + kColumns <= width; x += kColumns) sum_block(samples + x, crop.stride, taps, out + x);
  if (width % kColumns != 0) {
    const int last = width - kColumns;
    sum_block(samples + last, crop.stride, taps, out + last);
  }
}

// Rounds sums below 2^40, in units of 2^-32, half up.
template <int kChannels>
void sum_columns(const std::uint32_t* row, const TriangleFilter& filter, bool reversed, std::uint8_t* out) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << (2 * kFilterFractionBits - 1);
  for (int pixel = 0; pixel < filter.target(); ++pixel, out += kChannels) {
    const Taps& taps = filter.taps(pixel);
    const std::uint32_t* samples = row + taps.first * kChannels;
    for (int channel = 0; channel < kChannels; ++channel) {
      std::uint64_t sum = kHalf;
      for (int tap = 0; tap < taps.count; ++tap) {
        sum += static_cast<std::uint64_t>(samples[tap * kChannels + channel]) * taps.weights[tap];
      }
      out[reversed ? kChannels - 1 - channel : channel] = static_cast<std::uint8_t>(sum >> (2 * kFilterFractionBits));
    }
  }
}

void copy_row(const std::uint8_t* samples, int width, int channels, bool reversed, std::uint8_t* out) {
  if (!reversed) {
    std::memcpy(out, samples, static_cast<std::size_t>(width) * static_cast<std::size_t>(channels));
    return;
  }
  for (int x = 0; x < width; ++x, samples += channels, out += channels) {
    std::reverse_copy(samples, samples + channels, out);
  }
}

}  // namespace

void CropResizer::reserve(int height, int width) {
  vertical_.reserve(height);
  horizontal_.reserve(width);
  row_.reserve(std::size_t{3} * static_cast<std::size_t>(width));
}

void CropResizer::resize(const Crop& crop, const Overhang& down, const Overhang& across, bool reversed,
                         std::uint8_t* out) {
  const std::ptrdiff_t out_stride = static_cast<std::ptrdiff_t>(horizontal_.target()) * crop.channels;
  const bool whole = down.before + down.after + across.before + across.after == 0;
  if (whole && crop.height == vertical_.target() && crop.width == horizontal_.target()) {
    for (int y = 0; y < crop.height; ++y, out += out_stride) {
      copy_row(crop.data + y * crop.stride, crop.width, crop.channels, reversed, out);
    }
    return;
  }
  vertical_.aim(crop.height, down);
  horizontal_.aim(crop.width, across);
  for (int y = 0; y < vertical_.target(); ++y, out += out_stride) {
    sum_rows(crop, crop.width * crop.channels, vertical_.taps(y), row_.get());
    if (crop.channels == 1) {
      sum_columns<1>(row_.get(), horizontal_, false, out);
    } else {
      sum_columns<3>(row_.get(), horizontal_, reversed, out);
    }
  }
}

}  // namespace resemote_internal
