#include "session_choice.h"

#include <string>

#include "terminal.h"

namespace resemote_tools {
namespace {

constexpr long MOST_THREADS = 4096;  // the library knows how many this machine may have

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

SessionChoice::SessionChoice(const Options& options)
    : backend_(options.text("backend")),
      device_(options.text("device")),
      library_(options.text("library")),
      cache_dir_(options.text("cache-dir")),
      has_cache_dir_(options.has("cache-dir")) {
  if (options.has("threads")) threads_ = static_cast<int>(options.integer("threads", 1, MOST_THREADS));
}

resemote_session_options SessionChoice::options() const {
  resemote_session_options chosen = resemote::default_session_options();
  chosen.backend = or_null(backend_);
  chosen.device = or_null(device_);
  chosen.library = or_null(library_);
  chosen.cache_dir = has_cache_dir_ ? cache_dir_.c_str() : nullptr;  // an empty name is no cache
  chosen.threads = threads_;
  chosen.log = [](void*, resemote_log_level level, const char* message) {
    if (level == RESEMOTE_LOG_WARNING) print_error(std::string("warning: ") + message);
  };
  return chosen;
}

resemote_backend_choice choose_backend(const std::string& artifact, const resemote_session_options& options) {
  resemote_backend_choice chosen = RESEMOTE_BACKEND_CHOICE_INIT;
  resemote::check(resemote_backend_choose(artifact.c_str(), &options, &chosen));
  return chosen;
}

}  // namespace resemote_tools
