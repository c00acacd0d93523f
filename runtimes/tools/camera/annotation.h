// Annotation: boxes and labels drawn on a picture.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "captured.h"
#include "results.h"

namespace resemote_camera {

// A copy of a frame in BGR, with the box, number, label and score of each face.
cv::Mat annotated(const Captured& captured, const std::vector<FaceResult>& faces);

}  // namespace resemote_camera
