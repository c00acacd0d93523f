#include "progress.h"

#include <unistd.h>

#include <cstdio>

namespace resemote_tools {

Progress::Progress(const std::string& what, std::size_t total)
    : what_(what), total_(total), shown_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (percent_ >= 0) std::fputs("\r\x1b[K", stderr);
}

void Progress::update(std::size_t done) {
  const int percent = static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total_));
  if (!shown_ || percent == percent_) return;
  percent_ = percent;
  std::fprintf(stderr, "\r%s: %zu of %zu (%d %%)", what_.c_str(), done, total_, percent);
  std::fflush(stderr);
}

BuildProgress::BuildProgress(resemote_session_options& options) : on_terminal_(isatty(STDERR_FILENO) == 1) {
  options.progress = [](void* self, const resemote_progress* progress) {
    return static_cast<BuildProgress*>(self)->show(*progress);
  };
  options.user_data = this;
}

BuildProgress::~BuildProgress() {
  if (erase_) std::fputs("\r\x1b[K", stderr);
}

std::int32_t BuildProgress::show(const resemote_progress& progress) noexcept {
  if (progress.seconds < shown_s_) shown_s_ = 0.0;  // another stage
  if (progress.seconds >= shown_s_ + (on_terminal_ ? 1.0 : 60.0)) {
    shown_s_ = progress.seconds;
    erase_ = on_terminal_;
    std::fprintf(stderr, "%s%s: %.0f s", on_terminal_ ? "\r\x1b[K" : "", progress.stage, progress.seconds);
    if (progress.fraction >= 0.0) std::fprintf(stderr, ", %.0f %%", progress.fraction * 100.0);
    if (!on_terminal_) std::fputs("\n", stderr);
    std::fflush(stderr);
  }
  return stop_.signal();
}

}  // namespace resemote_tools
