// Where an engine's library is looked for: libm stands for it, which the loader knows everywhere.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "error.h"
#include "shared_library.h"

using resemote_internal::Error;
using resemote_internal::SharedLibrary;

namespace {

constexpr char kVariable[] = "RESEMOTE_TEST_LIBRARY";

SharedLibrary open(const std::string& chosen) {
  return SharedLibrary({"libm.so.6"}, chosen, kVariable, "install it");
}

}  // namespace

TEST_CASE("places are tried in turn, and an empty one is the default") {
  const std::string folder = "/proc/self/task";  // a folder without it
  CHECK(open("").path() == "libm.so.6");
  CHECK(open(folder + ":").path() == "libm.so.6");
  CHECK(open("/nowhere/libm.so.6:libm.so.6").path() == "libm.so.6");
  CHECK_THROWS_WITH(open(folder), Catch::Contains("a folder without libm.so.6") && Catch::Contains(kVariable));
  CHECK_THROWS_WITH(open("/nowhere/a:/nowhere/b"), Catch::Contains("/nowhere/a") && Catch::Contains("/nowhere/b"));
  setenv(kVariable, "/nowhere/else", 1);
  CHECK_THROWS_WITH(open(folder + ":"), Catch::Contains("/nowhere/else"));
  CHECK(open("libm.so.6").path() == "libm.so.6");
  unsetenv(kVariable);
}
