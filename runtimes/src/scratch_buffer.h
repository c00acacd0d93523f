// ScratchBuffer: scratch memory that only grows.
#pragma once

#include <cstddef>
#include <memory>

namespace resemote_internal {

// The memory is not cleared, because pages that are never written cost nothing. Its contents are lost when it grows.
template <typename Value>
class ScratchBuffer {
 public:
  void reserve(std::size_t count) {
    if (count <= count_) return;
    // The old memory is released first, so that a large frame does not need both at once.
    values_.reset();
    count_ = 0;
    values_.reset(new Value[count]);
    count_ = count;
  }
  Value* get() const { return values_.get(); }

 private:
  std::unique_ptr<Value[]> values_;
  std::size_t count_ = 0;
};

}  // namespace resemote_internal
