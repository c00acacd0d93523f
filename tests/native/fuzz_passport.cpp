// libFuzzer target: no text makes the passport's reader do anything but read or refuse.
#include <cstddef>
#include <cstdint>

#include "error.h"
#include "passport.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    resemote_internal::parse_passport(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  } catch (const resemote_internal::Error&) {
  }
  return 0;
}
