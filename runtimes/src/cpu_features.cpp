#include "cpu_features.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace resemote_internal {

#if defined(__x86_64__) || defined(__i386__)

// Read from the CPU itself, because the compilers in JetPack have no name for VNNI.
bool int8_sums_saturate() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  const bool ssse3 = (c >> 9 & 1) != 0;
  bool dot_product = false;
  unsigned subleaves = 0;
  if (__get_cpuid_count(7, 0, &subleaves, &b, &c, &d) != 0) {
    dot_product = (c >> 11 & 1) != 0 || (d >> 25 & 1) != 0;  // AVX512-VNNI, AMX-INT8
    if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
      dot_product = dot_product || (a >> 4 & 1) != 0;  // AVX-VNNI
    }
  }
  return ssse3 && !dot_product;
}

#else

bool int8_sums_saturate() { return false; }

#endif

}  // namespace resemote_internal
