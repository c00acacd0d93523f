// SessionChoice: what the options of with_session_options say, as the library takes it.
#pragma once

#include <string>

#include "options.h"
#include "resemote/runtime.hpp"

namespace resemote_tools {

class SessionChoice {
 public:
  explicit SessionChoice(const Options& options);
  // Chooses the folder of engines for an artifact, if none was given: they take minutes to build, so they are kept.
  // Backends that build no engine get none. Throws Failure if nothing can run the artifact here.
  void keep_engines_of(const std::string& artifact);
  // They refer to this object's strings.
  resemote_session_options options() const;

  const std::string& backend() const noexcept { return backend_; }
  const std::string& cache_dir() const noexcept { return cache_dir_; }

 private:
  std::string backend_;
  std::string device_;
  std::string library_;
  std::string cache_dir_;
  int threads_ = 0;
};

// Where a user's engines are kept: $XDG_CACHE_HOME/resemote, or ~/.cache/resemote; "" if there is no home.
std::string default_cache_dir();

// In which backend and on which device an artifact would run here. Throws Failure if it would not.
resemote_backend_choice choose_backend(const std::string& artifact, const resemote_session_options& options);

}  // namespace resemote_tools
