// NpyArray: reads numpy's file format, as far as golden data needs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resemote_internal {

struct NpyArray {
  std::string dtype;  // such as "|u1" and "<f4"
  std::vector<std::int64_t> shape;
  std::string bytes;  // row-major

  template <typename T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
};

// Throws Error with RESEMOTE_STATUS_ARTIFACT_INVALID if the file is incomplete, has another layout, or holds NaN or
// infinity.
NpyArray read_npy(const std::string& path);

}  // namespace resemote_internal
