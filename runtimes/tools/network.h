// Network: an artifact opened for its crops, whose steps can be taken one by one: preprocess, infer, decide.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resemote/runtime.hpp"

namespace resemote_tools {

class Network {
 public:
  Network(const std::string& artifact, const resemote_session_options& options, std::size_t max_crops);

  const resemote_session_info& info() const noexcept { return info_; }
  const std::vector<std::string>& labels() const noexcept { return classifier_.labels(); }
  std::size_t classes() const noexcept { return classifier_.labels().size(); }
  std::size_t feed_bytes() const noexcept { return feed_bytes_; }  // of one crop

  // Writes the network's input for some boxes of a frame to `feed`, feed_bytes() for each.
  void preprocess(const resemote_frame& frame, const std::vector<resemote_box>& boxes, void* feed);
  // Writes the outputs of the model, classes() for each crop: logits, or probabilities if info() says so. A batch that
  // is larger than the artifact's largest goes in parts of about the same size.
  void infer(const void* feed, std::size_t count, float* outputs);
  // Turns the outputs of some crops into probabilities, in place. Throws ToolError if one is NaN or infinite.
  void decide(float* outputs, std::size_t count) const;

 private:
  resemote::Classifier classifier_;
  resemote_session* session_;
  resemote_session_info info_;
  resemote_tensor input_;
  resemote_tensor output_;
  std::size_t feed_bytes_ = 0;
};

// Place of the largest value; the first of equals.
std::size_t best_of(const float* values, std::size_t count);

}  // namespace resemote_tools
