// SessionChoice: what the options of with_session_options say, as the library takes it.
#pragma once

#include <string>

#include "options.h"
#include "resemote/runtime.hpp"

namespace resemote_tools {

class SessionChoice {
 public:
  explicit SessionChoice(const Options& options);
  // They refer to this object's strings. The library's warnings go to stderr.
  resemote_session_options options() const;

  const std::string& backend() const noexcept { return backend_; }

 private:
  std::string backend_;
  std::string device_;
  std::string library_;
  std::string cache_dir_;
  bool has_cache_dir_;
  int threads_ = 0;
};

// In which backend and on which device an artifact would run here. Throws Failure if it would not.
resemote_backend_choice choose_backend(const std::string& artifact, const resemote_session_options& options);

}  // namespace resemote_tools
