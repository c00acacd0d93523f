// HandleTable: hands out handles, and recognises stale and foreign ones.
//
// A handle looks like a pointer but is a number and never dereferenced. It consists of a place in the table, the
// generation of the place, and a kind. When a handle is destroyed, its place gets the next generation. If the old
// handle is used or destroyed again, the generations differ, whatever the allocator has done since.
//
// A forked process keeps none of the objects. The threads of their engines do not exist there, so any call would wait for
// them. The objects are not destroyed there either, because their destructors would wait as well.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "error.h"

namespace resemote_internal {

template <typename T>
class HandleTable {
 public:
  // `kind`: 1 to 3, different for each table. `noun`: name of a T in messages.
  HandleTable(unsigned kind, const char* noun) : kind_(kind), noun_(noun) {}

  void* insert(std::shared_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) {
      if (places_.size() > kMostPlaces) throw Error(RESEMOTE_STATUS_OUT_OF_MEMORY, "too many handles are open");
      places_.emplace_back();
      free_.push_back(places_.size() - 1);
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    places_[index].object = std::move(object);
    places_[index].process = process_;
    return handle_of(index, places_[index].generation);
  }

  // Finds a handle. Throws Error with RESEMOTE_STATUS_CLOSED, or INVALID_ARGUMENT for null.
  std::shared_ptr<T> find(const void* handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return place_of(handle).object;
  }

  // Finds a handle and removes it. Throws the same.
  std::shared_ptr<T> remove(const void* handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Place& place = place_of(handle);
    std::shared_ptr<T> object = std::move(place.object);
    place.object.reset();
    place.generation = (place.generation + 1) & kGenerationMask;
    free_.push_back(static_cast<std::size_t>(&place - places_.data()));
    return object;
  }

  // Around a fork, so that no other thread is in the middle of a change.
  void before_fork() { mutex_.lock(); }
  void after_fork_in_parent() { mutex_.unlock(); }
  void after_fork_in_child() {
    ++process_;
    mutex_.unlock();
  }

 private:
  struct Place {
    std::shared_ptr<T> object;
    std::uintptr_t generation = 1;
    unsigned process = 0;
  };

  static constexpr int kKindBits = 2;
  static constexpr int kIndexBits = sizeof(std::uintptr_t) == 8 ? 20 : 10;
  static constexpr std::uintptr_t kMostPlaces = (std::uintptr_t{1} << kIndexBits) - 1;
  static constexpr std::uintptr_t kGenerationMask =
      (std::uintptr_t{1} << (8 * sizeof(std::uintptr_t) - kIndexBits - kKindBits)) - 1;

  void* handle_of(std::size_t index, std::uintptr_t generation) const {
    return reinterpret_cast<void*>(generation << (kIndexBits + kKindBits) | index << kKindBits | kind_);
  }

  Place& place_of(const void* handle) {
    if (handle == nullptr) throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string("the ") + noun_ + " is null");
    const std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(handle);
    const std::size_t index = bits >> kKindBits & kMostPlaces;
    const bool known = (bits & ((1u << kKindBits) - 1)) == kind_ && index < places_.size() &&
                       places_[index].generation == bits >> (kIndexBits + kKindBits) && places_[index].object;
    if (!known) {
      throw Error(RESEMOTE_STATUS_CLOSED, std::string("this ") + noun_ + " was destroyed, or is not one; open a new one");
    }
    if (places_[index].process != process_) {
      throw Error(RESEMOTE_STATUS_CLOSED,
                  std::string("this ") + noun_ + " was opened before this process was forked; open a new one");
    }
    return places_[index];
  }

  const unsigned kind_;
  const char* const noun_;
  std::mutex mutex_;
  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  unsigned process_ = 0;  // rises with every fork on the way to this process
};

// The process's one table of a kind; `table` returns it. It is never destroyed: what is still open when the process ends
// must not outlive its engine's own end.
template <typename T, HandleTable<T>& (*table)()>
HandleTable<T>* made_table(unsigned kind, const char* noun) {
  HandleTable<T>* const made = new HandleTable<T>(kind, noun);
  ::pthread_atfork([] { table().before_fork(); }, [] { table().after_fork_in_parent(); },
                   [] { table().after_fork_in_child(); });
  return made;
}

}  // namespace resemote_internal
