// Detector: finds the faces of a frame. The Python counterparts are faces/detectors/network.py and whole_frame.py.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "face.h"
#include "framing.h"
#include "resemote/runtime.hpp"

namespace resemote_camera {

class Detector {
 public:
  virtual ~Detector() = default;
  // The faces of a frame, those with the highest scores first. Used by one thread at a time.
  virtual std::vector<Face> detect(const resemote_frame& frame) = 0;

  Framing framing;
};

// Opens a detector: "none", for which the frame is the face, or the folder of an artifact. `min_score`: lowest score of
// a face that is reported; negative for the artifact's own. Throws ToolError or resemote::Failure.
std::unique_ptr<Detector> open_detector(const std::string& name, const resemote_session_options& options,
                                        double min_score);

}  // namespace resemote_camera
