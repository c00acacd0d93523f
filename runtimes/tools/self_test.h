// The self-test of an artifact, as commands run it and tell of it.
#pragma once

#include <string>

#include "resemote/runtime.hpp"

namespace resemote_tools {

struct SelfTest {
  resemote_self_test_result result;  // filled in if it was not passed, too
  bool passed;
};

// Throws Failure if the test could not be run.
SelfTest run_self_test(resemote_session* session);

// "passed: 32 golden crops, ..." or "FAILED: ...", with where it ran.
std::string sentence_of(const SelfTest& test, const resemote_session_info& info);

// EXIT_OK or EXIT_NOT_PASSED.
int exit_code_of(const SelfTest& test);

}  // namespace resemote_tools
