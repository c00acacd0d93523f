// Prints which backends work on this machine, and runs the self-test of an artifact if one is named.
#include <cstdio>
#include <exception>

#include "resemote/runtime.hpp"

int main(int argc, char** argv) {
  for (std::size_t i = 0; i < resemote_backend_count(); ++i) {
    resemote_backend_info info = RESEMOTE_BACKEND_INFO_INIT;
    resemote_backend_probe(resemote_backend_name(i), nullptr, &info);
    std::printf("%s: %s\n", resemote_backend_name(i), info.available ? info.devices : info.reason);
  }
  if (argc < 2) return 0;
  try {
    const resemote_self_test_result result = resemote::Session(argv[1]).self_test();
    std::printf("%d golden crops, largest difference %.2g of %.2g allowed\n", result.crops, result.max_abs_diff,
                result.limit);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
