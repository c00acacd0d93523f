// What the two files of C functions share.
#pragma once

#include <cstring>
#include <string>

#include "classifier.h"
#include "error.h"
#include "handle_table.h"
#include "session.h"

namespace resemote_internal {

HandleTable<Session>& sessions();

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT where a struct is null or of another size than this library's.
template <typename Struct>
Struct& checked(Struct* given, const char* name) {
  if (given == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " is null");
  if (given->struct_size != sizeof(Struct)) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + ": struct_size is " +
                                                      std::to_string(given->struct_size) + ", this library's is " +
                                                      std::to_string(sizeof(Struct)) +
                                                      "; set it to sizeof of the struct, or use the header that "
                                                      "belongs to the library");
  }
  return *given;
}

// Throws the same where a pointer is null.
template <typename T>
T& needed(T* given, const char* name) {
  if (given == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " is null");
  return *given;
}

// The C struct with its nulls filled in; null gives the defaults.
SessionOptions session_options(const resemote_session_options* given);

}  // namespace resemote_internal
