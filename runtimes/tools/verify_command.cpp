// `resemote verify`: the self-test of an artifact on this machine.
#include "command.h"
#include "errors.h"
#include "options.h"
#include "session_choice.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

const Usage& usage() {
  static const Usage usage = {
      "verify", "ARTIFACT",
      "Run the self-test of ARTIFACT on this machine.\n\n"
      "An artifact carries its golden crops and the logits that PyTorch computed for them. The command runs the crops "
      "in the engine and compares the results. The exit code is 3 if they differ by more than the artifact's limit.",
      "resemote verify artifacts/resemotenet-xs-fer2013-onnx-fp32\n"
      "resemote verify artifacts/resemotenet-xs-fer2013-onnx-fp32 --backend onnxruntime --device cpu",
      with_session_options({})};
  return usage;
}

}  // namespace

int verify_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const SessionChoice choice(options);
  resemote::Session session(options.argument(0), choice.options());
  const resemote_session_info info = session.info();
  // The result is filled in if the test was not passed, too; Session::self_test() would throw it away.
  resemote_self_test_result result = resemote_self_test_result();
  result.struct_size = sizeof result;
  const resemote_status status = resemote_session_self_test(session.get(), &result);
  if (status != RESEMOTE_STATUS_SELF_TEST_FAILED) resemote::check(status);
  const bool passed = status == RESEMOTE_STATUS_OK;
  if (options.json()) {
    print_json({{"status", passed ? "passed" : "failed"},
                {"artifact", info.artifact_name},
                {"backend", info.backend},
                {"device", info.device},
                {"file", info.file},
                {"crops", result.crops},
                {"max_abs_diff", result.max_abs_diff},
                {"max_abs_diff_limit", result.limit},
                {"top1_agreement", result.top1_agreement}});
  } else {
    const bool detector = info.label_count == 0;
    print_line(std::string(passed ? "passed" : "FAILED") + ": " + std::to_string(result.crops) +
               (detector ? " golden pictures" : " golden crops") + ", largest difference of " +
               (detector ? "any output " : info.gives_probabilities ? "probabilities " : "logits ") +
               format_number("%.3g", result.max_abs_diff) + " (limit " + format_number("%.3g", result.limit) + ")" +
               (detector ? "" : ", top-1 agreement " + format_number("%.4f", result.top1_agreement)) + "; " + info.file +
               " in " + info.backend + " on " + info.device);
  }
  return passed ? EXIT_OK : EXIT_NOT_PASSED;
}

}  // namespace resemote_tools
