#include "self_test.h"

#include "errors.h"
#include "terminal.h"

namespace resemote_tools {

SelfTest run_self_test(resemote_session* session) {
  SelfTest test = {RESEMOTE_SELF_TEST_RESULT_INIT, false};
  const resemote_status status = resemote_session_self_test(session, &test.result);
  if (status != RESEMOTE_STATUS_SELF_TEST_FAILED) resemote::check(status);
  test.passed = status == RESEMOTE_STATUS_OK;
  return test;
}

std::string sentence_of(const SelfTest& test, const resemote_session_info& info) {
  const bool detector = info.label_count == 0;
  const std::string what = detector ? "any output" : info.gives_probabilities != 0 ? "probabilities" : "logits";
  std::string text = (test.passed ? "passed: " : "FAILED: ") + std::to_string(test.result.crops) +
                     (detector ? " golden pictures" : " golden crops") + ", largest difference of " + what +
                     format_number(" %.3g", test.result.max_abs_diff) + format_number(" (limit %.3g)", test.result.limit);
  if (!detector) text += format_number(", top-1 agreement %.4f", test.result.top1_agreement);
  return text + "; " + info.file + " in " + info.backend + " on " + info.device;
}

int exit_code_of(const SelfTest& test) { return test.passed ? EXIT_OK : EXIT_NOT_PASSED; }

}  // namespace resemote_tools
