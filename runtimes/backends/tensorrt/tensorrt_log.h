// TensorRTLog: where TensorRT writes. It prints nothing and keeps the last errors, for messages of ours.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include <NvInferRuntime.h>

namespace resemote_internal {
namespace tensorrt {

// One for the process: TensorRT keeps the first logger it is given, for all that comes later. Hence, where two engines
// fail at once, each message may carry words about the other.
class TensorRTLog final : public nvinfer1::ILogger {
 public:
  // Never destroyed: TensorRT may write to it while the process ends.
  static TensorRTLog& instance();

  // Any thread; TensorRT builds with several.
  void log(Severity severity, nvinfer1::AsciiChar const* message) noexcept override;

  // A place in the log, ...
  std::uint64_t place() const;
  // ... and the errors after it, the last few, in one line; "TensorRT gave no reason" if there are none.
  std::string errors_after(std::uint64_t place) const;

 private:
  TensorRTLog() = default;

  mutable std::mutex mutex_;
  std::deque<std::string> last_;
  std::uint64_t written_ = 0;
};

}  // namespace tensorrt
}  // namespace resemote_internal
