#include "tensorrt_log.h"

#include <exception>

namespace resemote_internal {
namespace tensorrt {
namespace {

constexpr std::size_t kKept = 8;
constexpr std::size_t kLongest = 1000;  // characters of one message

}  // namespace

TensorRTLog& TensorRTLog::instance() {
  static TensorRTLog* const log = new TensorRTLog;
  return *log;
}

void TensorRTLog::log(Severity severity, nvinfer1::AsciiChar const* message) noexcept {
  if (severity != Severity::kERROR && severity != Severity::kINTERNAL_ERROR) return;
  try {
    const std::lock_guard<std::mutex> lock(mutex_);
    last_.emplace_back(std::string(message).substr(0, kLongest));
    if (last_.size() > kKept) last_.pop_front();
    ++written_;
  } catch (const std::exception&) {
    // There is no memory for the message. The caller still reports the failure.
  }
}

std::uint64_t TensorRTLog::place() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return written_;
}

std::string TensorRTLog::errors_after(std::uint64_t place) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  std::uint64_t position = written_ - last_.size();
  for (const std::string& message : last_) {
    if (position++ >= place) text += (text.empty() ? "" : "; ") + message;
  }
  return text.empty() ? "TensorRT gave no reason" : text;
}

}  // namespace tensorrt
}  // namespace resemote_internal
