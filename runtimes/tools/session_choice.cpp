#include "session_choice.h"

namespace resemote_tools {
namespace {

constexpr long MOST_THREADS = 4096;  // the library knows how many this machine may have

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

SessionChoice::SessionChoice(const Options& options)
    : backend_(options.text("backend")),
      device_(options.text("device")),
      library_(options.text("library")),
      cache_dir_(options.text("cache-dir")) {
  if (options.has("threads")) threads_ = static_cast<int>(options.integer("threads", 1, MOST_THREADS));
}

resemote_session_options SessionChoice::options() const {
  resemote_session_options chosen = resemote::default_session_options();
  chosen.backend = or_null(backend_);
  chosen.device = or_null(device_);
  chosen.library = or_null(library_);
  chosen.cache_dir = or_null(cache_dir_);
  chosen.threads = threads_;
  return chosen;
}

}  // namespace resemote_tools
