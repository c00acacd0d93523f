// Functions that both files of C functions use.
#pragma once

#include <string>

#include "classifier.h"
#include "error.h"
#include "handle_table.h"
#include "session.h"
#include "struct_size.h"

namespace resemote_internal {

HandleTable<Session>& sessions();

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if a pointer is null.
template <typename T>
T& needed(T* given, const char* name) {
  if (given == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " is null");
  return *given;
}

// The C struct with defaults in place of nulls. A null pointer gives the defaults.
SessionOptions session_options(const resemote_session_options* given);

}  // namespace resemote_internal
