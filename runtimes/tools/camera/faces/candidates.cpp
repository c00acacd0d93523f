#include "candidates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../errors.h"

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;

// Places of which the best are kept; no picture has as many faces.
constexpr std::size_t MOST_CANDIDATES = 5000;

constexpr std::size_t LANDMARKS = 5;

const Output& output_named(const Outputs& outputs, const std::string& name, std::size_t rank) {
  const auto found = outputs.find(name);
  if (found == outputs.end() || found->second.dims.size() != rank) {
    throw ToolError("the detector has no output '" + name + "' of " + std::to_string(rank) + " dimensions",
                    "export it again: resemote-edge export --detector");
  }
  return found->second;
}

// Values of an output that has `channels` of them for each of `cells` cells.
const float* cells_of(const Outputs& outputs, const std::string& name, std::int64_t cells, std::int64_t channels) {
  const Output& output = output_named(outputs, name, 3);
  if (output.dims[1] != cells || output.dims[2] != channels) {
    throw ToolError("the detector's output '" + name + "' does not belong to the others",
                    "export it again: resemote-edge export --detector");
  }
  return output.values;
}

// Lets values that are no numbers through; they are never chosen.
float clipped(float value) { return std::min(std::max(value, 0.0F), 1.0F); }

// One grid of YuNet, whose cells are `stride` pixels apart. All arithmetic is in float32, as in Python.
void read_grid(const Outputs& outputs, int stride, int width, double min_score, std::vector<Face>& found) {
  const std::string suffix = "_" + std::to_string(stride);
  const std::int64_t cells = output_named(outputs, "cls" + suffix, 3).dims[1];
  const float* const classes = cells_of(outputs, "cls" + suffix, cells, 1);
  const float* const objects = cells_of(outputs, "obj" + suffix, cells, 1);
  const float* const boxes = cells_of(outputs, "bbox" + suffix, cells, 4);
  const float* const points = cells_of(outputs, "kps" + suffix, cells, 2 * LANDMARKS);
  const std::int64_t columns = width / stride;
  const float step = static_cast<float>(stride), least = static_cast<float>(min_score);
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    const float score = std::sqrt(clipped(classes[cell]) * clipped(objects[cell]));
    if (!(score >= least)) continue;
    const float left = static_cast<float>(cell % columns), top = static_cast<float>(cell / columns);
    const float* const raw = boxes + cell * 4;
    const float across = std::exp(raw[2]) * step, down = std::exp(raw[3]) * step;
    Face face;
    face.x = (left + raw[0]) * step - across / 2;
    face.y = (top + raw[1]) * step - down / 2;
    face.width = across;
    face.height = down;
    face.score = score;
    const float* point = points + cell * 2 * static_cast<std::int64_t>(LANDMARKS);
    for (std::size_t i = 0; i < LANDMARKS; ++i, point += 2) {
      const float x = (point[0] + left) * step, y = (point[1] + top) * step;
      face.landmarks.push_back({x, y});
    }
    found.push_back(face);
  }
}

std::vector<Face> read_yunet(const Outputs& outputs, int width, double min_score) {
  std::vector<Face> found;
  for (const int stride : {8, 16, 32}) read_grid(outputs, stride, width, min_score, found);
  return found;
}

// CenterFace marks the centres of faces on one grid; where an output has two channels, rows come before columns.
std::vector<Face> read_centerface(const Outputs& outputs, int, double min_score) {
  constexpr double STRIDE = 4.0;
  const Output& heat = output_named(outputs, "heatmap", 4);
  const std::int64_t rows = heat.dims[2], columns = heat.dims[3], plane = rows * columns;
  const auto planes = [&](const char* name, std::int64_t channels) {
    const Output& output = output_named(outputs, name, 4);
    if (output.dims[1] != channels || output.dims[2] != rows || output.dims[3] != columns) {
      throw ToolError(std::string("the detector's output '") + name + "' does not belong to the others",
                      "export it again: resemote-edge export --detector");
    }
    return output.values;
  };
  const float* const sizes = planes("size", 2);
  const float* const offsets = planes("offset", 2);
  const float* const points = planes("landmarks", 2 * LANDMARKS);
  std::vector<Face> found;
  for (std::int64_t cell = 0; cell < plane; ++cell) {
    if (!(heat.values[cell] >= static_cast<float>(min_score))) continue;
    const float across = std::exp(sizes[plane + cell]) * static_cast<float>(STRIDE);
    const float down = std::exp(sizes[cell]) * static_cast<float>(STRIDE);
    Face face;
    face.x = (static_cast<double>(cell % columns) + offsets[plane + cell] + 0.5) * STRIDE - across / 2;
    face.y = (static_cast<double>(cell / columns) + offsets[cell] + 0.5) * STRIDE - down / 2;
    face.width = across;
    face.height = down;
    face.score = clipped(heat.values[cell]);
    for (std::size_t i = 0; i < LANDMARKS; ++i) {
      const float* const point = points + static_cast<std::int64_t>(2 * i) * plane + cell;
      const double x = point[plane], y = point[0];
      face.landmarks.push_back({x * face.width + face.x, y * face.height + face.y});
    }
    found.push_back(face);
  }
  return found;
}

struct Family {
  const char* name;
  Reader reader;
};

constexpr Family FAMILIES[] = {{"yunet", read_yunet}, {"centerface", read_centerface}};

bool overlaps(const Face& best, const Face& other, double max_overlap) {
  const double across = std::min(best.x + best.width, other.x + other.width) - std::max(best.x, other.x);
  const double down = std::min(best.y + best.height, other.y + other.height) - std::max(best.y, other.y);
  const double shared = std::max(across, 0.0) * std::max(down, 0.0);
  return !(shared <= max_overlap * (best.width * best.height + other.width * other.height - shared));
}

}  // namespace

Reader reader_of(const std::string& family) {
  for (const Family& known : FAMILIES) {
    if (family == known.name) return known.reader;
  }
  throw ToolError("a detector of the family '" + family.substr(0, 80) + "', which this version does not know",
                  "use the version that wrote it");
}

std::vector<Face> keep_best(const std::vector<Face>& found, double max_overlap) {
  std::vector<std::size_t> order(found.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t one, std::size_t other) { return found[one].score > found[other].score; });
  order.resize(std::min(order.size(), MOST_CANDIDATES));
  std::vector<Face> kept;
  while (!order.empty()) {
    const Face& best = found[order.front()];
    kept.push_back(best);
    order.erase(order.begin());
    order.erase(std::remove_if(order.begin(), order.end(),
                               [&](std::size_t other) { return overlaps(best, found[other], max_overlap); }),
                order.end());
  }
  return kept;
}

}  // namespace resemote_camera
