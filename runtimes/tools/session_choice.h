// SessionChoice: what the options of with_session_options say, as the library takes it.
#pragma once

#include <string>

#include "options.h"
#include "resemote/runtime.hpp"

namespace resemote_tools {

class SessionChoice {
 public:
  explicit SessionChoice(const Options& options);
  // They refer to this object's strings.
  resemote_session_options options() const;

 private:
  std::string backend_;
  std::string device_;
  std::string library_;
  std::string cache_dir_;
  int threads_ = 0;
};

}  // namespace resemote_tools
