// Judge: which expressions the faces of a frame show, and which of them cannot be judged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faces/face.h"
#include "resemote/runtime.hpp"

namespace resemote_camera {

struct Judgement {
  const char* why_not = nullptr;      // reason why the face is not judged; null if it is
  std::vector<double> probabilities;  // of each class; empty if it is not judged
};

// Used by one thread.
class Judge {
 public:
  // Throws resemote::Failure.
  Judge(const std::string& artifact, const resemote_session_options& options);

  const std::vector<std::string>& labels() const { return classifier_.labels(); }

  // Judges the faces in these squares, all in one batch. The pixels of the frame's border are repeated beyond it.
  // Throws resemote::Failure.
  std::vector<Judgement> judge(const resemote_frame& frame, const std::vector<Face>& faces,
                               const std::vector<resemote_box>& squares, bool judge_all);

 private:
  resemote::Classifier classifier_;
  int width_;
  int height_;
  bool takes_color_;
  std::size_t most_;  // faces that are judged together
};

}  // namespace resemote_camera
