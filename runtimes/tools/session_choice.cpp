#include "session_choice.h"

#include <cstdlib>
#include <cstring>

namespace resemote_tools {
namespace {

constexpr long MOST_THREADS = 4096;  // the library knows how many this machine may have

const char BUILDER[] = "tensorrt";  // the backend that builds engines

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

SessionChoice::SessionChoice(const Options& options)
    : backend_(options.text("backend")),
      device_(options.text("device")),
      library_(options.text("library")),
      cache_dir_(options.text("cache-dir")) {
  if (options.has("threads")) threads_ = static_cast<int>(options.integer("threads", 1, MOST_THREADS));
}

void SessionChoice::keep_engines_of(const std::string& artifact) {
  const resemote_backend_choice chosen = choose_backend(artifact, options());
  if (cache_dir_.empty() && std::strcmp(chosen.backend, BUILDER) == 0) cache_dir_ = default_cache_dir();
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

std::string default_cache_dir() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/resemote";
  const char* const home = std::getenv("HOME");
  return home == nullptr || home[0] != '/' ? "" : std::string(home) + "/.cache/resemote";
}

resemote_backend_choice choose_backend(const std::string& artifact, const resemote_session_options& options) {
  resemote_backend_choice chosen = resemote_backend_choice();
  chosen.struct_size = sizeof chosen;
  resemote::check(resemote_backend_choose(artifact.c_str(), &options, &chosen));
  return chosen;
}

}  // namespace resemote_tools
