// Where an engine's library is looked for: libm stands for it, which the loader knows everywhere.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

TEST_CASE("a library that is there with a version in its name is found, the highest first") {
  char folder[] = "/tmp/resemote-test-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string stem = std::string(folder) + "/libresemotestands.so";
  open("");
  // Links to a real one: what counts is the name.
  std::ifstream maps("/proc/self/maps");
  std::string line, real;
  while (std::getline(maps, line)) {
    const std::size_t path = line.find('/');
    if (path != std::string::npos && line.find("/libm.so.6") != std::string::npos) real = line.substr(path);
  }
  REQUIRE(!real.empty());
  const std::string versions[] = {".1", ".1.9.1", ".1.14.1"};
  for (const std::string& version : versions) REQUIRE(symlink(real.c_str(), (stem + version).c_str()) == 0);
  std::ofstream(stem + ".2") << "not a library";
  const auto look = [](const std::string& chosen) {
    return SharedLibrary({"libresemotestands.so"}, chosen, kVariable, "install it").path();
  };
  CHECK(look(folder) == stem + ".1.14.1");  // .2 cannot be opened
  CHECK_THROWS_WITH(look(""), Catch::Contains("libresemotestands.so"));
  const char* const before = std::getenv("LD_LIBRARY_PATH");
  const std::string kept = before != nullptr ? before : "";
  setenv("LD_LIBRARY_PATH", ("/nowhere:" + std::string(folder)).c_str(), 1);
  CHECK(look("") == stem + ".1.14.1");
  before != nullptr ? setenv("LD_LIBRARY_PATH", kept.c_str(), 1) : unsetenv("LD_LIBRARY_PATH");
  for (const std::string& version : versions) std::remove((stem + version).c_str());
  std::remove((stem + ".2").c_str());
  rmdir(folder);
}
