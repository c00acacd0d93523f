// TensorSpec: description of a tensor. TensorView: a tensor in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "resemote/session.h"

namespace resemote_internal {

struct TensorSpec {
  std::string name;
  resemote_dtype dtype = RESEMOTE_DTYPE_FLOAT32;
  std::vector<std::int64_t> dims;  // -1: the batch, which can only be the first

  std::size_t item_bytes() const { return dtype == RESEMOTE_DTYPE_FLOAT32 ? 4 : 1; }

  // Bytes of this number of samples.
  std::size_t bytes(std::int64_t batch) const {
    std::size_t count = item_bytes();
    for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim < 0 ? batch : dim);
    return count;
  }
};

// Dense row-major memory that fits a spec for some batch size. It does not own the memory.
struct TensorView {
  const TensorSpec* spec;
  void* data;
  std::int64_t batch;

  std::size_t bytes() const { return spec->bytes(batch); }
};

}  // namespace resemote_internal
