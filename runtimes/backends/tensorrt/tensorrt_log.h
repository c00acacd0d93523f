// TensorRTLog: the logger that TensorRT writes to. It prints nothing and keeps the last errors for our messages.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include <NvInferRuntime.h>

namespace resemote_internal {
namespace tensorrt {

// There is one log for the process, because TensorRT keeps the first logger that it is given. If two engines fail at
// the same time, each message may therefore contain errors of the other.
class TensorRTLog final : public nvinfer1::ILogger {
 public:
  // Never destroyed, because TensorRT may write to it while the process ends.
  static TensorRTLog& instance();

  // May be called from any thread; TensorRT builds with several.
  void log(Severity severity, nvinfer1::AsciiChar const* message) noexcept override;

  // Current position in the log.
  std::uint64_t place() const;
  // The last errors after a position, in one line; "TensorRT gave no reason" if there are none.
  std::string errors_after(std::uint64_t place) const;

 private:
  TensorRTLog() = default;

  mutable std::mutex mutex_;
  std::deque<std::string> last_;
  std::uint64_t written_ = 0;
};

}  // namespace tensorrt
}  // namespace resemote_internal
