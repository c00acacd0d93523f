// How structs of the C ABI grow. A program that was built with an older header passes a smaller struct_size, and gets
// defaults for the members it lacks. A program that was built with a newer header than the library's is refused.
//
// Add a member at the end only, never into padding. Its default is the behaviour of earlier libraries. The size that an
// _init function writes, and the smallest size of a frame, stay those of the first version of the headers.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "error.h"
#include "resemote/runtime.h"

namespace resemote_internal {

// Sizes in the first version of the headers. If a member is added to a struct, its size here becomes offsetof(struct, member).
constexpr std::size_t kFirstSessionOptions = offsetof(resemote_session_options, log);
constexpr std::size_t kFirstClassifierOptions = offsetof(resemote_classifier_options, edges);
constexpr std::size_t kFirstFrame = offsetof(resemote_frame, timestamp_ns);

// The part that every frame needs: all members before its second plane.
constexpr std::size_t kLeastFrame = offsetof(resemote_frame, uv);

// Throws Error with RESEMOTE_STATUS_INVALID_ARGUMENT if a struct is null or has a size that no header had.
template <typename Struct>
void check_struct_size(const Struct* given, const char* name, std::size_t least) {
  if (given == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " is null");
  const std::size_t size = given->struct_size;
  if (size >= least && size <= sizeof(Struct) && size % alignof(Struct) == 0) return;
  std::string why = ", this library takes " + std::to_string(least) + " to " + std::to_string(sizeof(Struct)) +
                    " in steps of " + std::to_string(alignof(Struct)) + "; set it to sizeof(" + name +
                    "), as its _INIT does";
  if (size > sizeof(Struct)) why += ", and take no newer header than the library's";
  throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + ": struct_size is " + std::to_string(size) + why);
}

// A complete copy of a struct that the caller filled in. Members that it is too small for come from `defaults`.
template <typename Struct>
Struct taken(const Struct* given, const char* name, const Struct& defaults, std::size_t least = sizeof(std::size_t)) {
  check_struct_size(given, name, least);
  Struct whole = defaults;
  std::memcpy(&whole, given, given->struct_size);
  whole.struct_size = sizeof whole;
  return whole;
}

// A struct for the library to fill in. At the end, only as much of it is written as the caller has room for.
template <typename Struct>
class Filled {
 public:
  Filled(Struct* to, const char* name) : to_(to) {
    check_struct_size(to, name, sizeof(std::size_t));
  }
  Struct* operator->() { return &whole_; }
  Struct& operator*() { return whole_; }
  void write() {
    whole_.struct_size = to_->struct_size;
    std::memcpy(to_, &whole_, to_->struct_size);
  }

 private:
  Struct* to_;
  Struct whole_{};
};

// Fills in a struct whose size is not known yet: only the members of the first version of the headers.
template <typename Struct>
void initialize(Struct* to, const char* name, Struct defaults, std::size_t first) {
  if (to == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " is null");
  defaults.struct_size = first;
  std::memcpy(to, &defaults, first);
}

}  // namespace resemote_internal
