// TensorSpec and TensorView: what a tensor must be like, and one in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "resemote/runtime.h"

namespace resemote_internal {

struct TensorSpec {
  std::string name;
  resemote_dtype dtype = RESEMOTE_DTYPE_FLOAT32;
  std::vector<std::int64_t> dims;  // -1: the batch, first if anywhere

  std::size_t item_bytes() const { return dtype == RESEMOTE_DTYPE_FLOAT32 ? 4 : 1; }

  // Bytes of so many samples.
  std::size_t bytes(std::int64_t batch) const {
    std::size_t count = item_bytes();
    for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim < 0 ? batch : dim);
    return count;
  }
};

// Memory of somebody else, dense and row-major, that fits its spec for a batch.
struct TensorView {
  const TensorSpec* spec;
  void* data;
  std::int64_t batch;

  std::size_t bytes() const { return spec->bytes(batch); }
};

}  // namespace resemote_internal
