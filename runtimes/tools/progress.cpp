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

}  // namespace resemote_tools
