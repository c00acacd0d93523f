// Subject: an artifact opened for measuring, with the same crops as pixels and as the network's input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measuring/timing.h"
#include "network.h"

namespace resemote_tools {

class Subject {
 public:
  Subject(const std::string& artifact, const resemote_session_options& options, std::size_t batch, int crop_side);

  const Network& network() const noexcept { return network_; }
  std::size_t batch() const noexcept { return batch_; }
  long long crops_done() const noexcept { return crops_done_; }

  // Runs the model alone, on input that is ready.
  void run_model();
  // Goes from pixels to decisions, as an application does.
  StageTimes decide();

 private:
  Network network_;
  std::size_t batch_;
  std::vector<std::uint8_t> pixels_;
  resemote_frame frame_;
  std::vector<resemote_box> boxes_;
  std::vector<std::uint8_t> ready_;  // input of run_model
  std::vector<std::uint8_t> feed_;
  std::vector<float> outputs_;
  long long crops_done_ = 0;
};

}  // namespace resemote_tools
