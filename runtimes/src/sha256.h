// SHA-256 of FIPS 180-4. It is written here because JetPack 4.6 has no hash library that a small program could link
// without a further dependency.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace resemote_internal {

class Sha256 {
 public:
  void update(const void* data, std::size_t size);
  // Ends the computation and returns 64 hex characters.
  std::string finish();

 private:
  void block(const std::uint8_t* data);

  std::array<std::uint32_t, 8> state_{{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                                       0x1f83d9ab, 0x5be0cd19}};
  std::array<std::uint8_t, 64> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_bytes_ = 0;
};

// Hex sha256 of some bytes.
std::string sha256(const void* data, std::size_t size);

}  // namespace resemote_internal
