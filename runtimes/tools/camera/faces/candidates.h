// Candidates: places of a network's input that may be faces, read from its outputs. The Python counterparts are
// faces/detectors/yunet.py, centerface.py and network.py.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "face.h"

namespace resemote_camera {

// One output of a network.
struct Output {
  const float* values;
  std::vector<std::int64_t> dims;  // the first is 1
};
using Outputs = std::map<std::string, Output>;

// Reads the places whose score is at least `min_score`, in pixels of the network's input, of `width` columns. Boxes
// overlap, and may hold values that are not finite. Throws ToolError if an output is missing or has another shape.
using Reader = std::vector<Face> (*)(const Outputs& outputs, int width, double min_score);

// Reader of a family of detectors, as passports name it. Throws ToolError if there is none.
Reader reader_of(const std::string& family);

// Chooses boxes, the best first, none of which overlaps a better one by more than `max_overlap` (intersection over
// union).
std::vector<Face> keep_best(const std::vector<Face>& found, double max_overlap);

}  // namespace resemote_camera
