// `resemote verify`: the self-test of an artifact on this machine.
#include "command.h"
#include "errors.h"
#include "options.h"
#include "progress.h"
#include "self_test.h"
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
  const resemote::Session session = open_with_progress<resemote::Session>(options.argument(0), choice.options());
  const resemote_session_info info = session.info();
  const SelfTest test = run_self_test(session.get());
  if (options.json()) {
    print_json({{"status", test.passed ? "passed" : "failed"},
                {"artifact", info.artifact_name},
                {"backend", info.backend},
                {"device", info.device},
                {"file", info.file},
                {"crops", test.result.crops},
                {"max_abs_diff", test.result.max_abs_diff},
                {"max_abs_diff_limit", test.result.limit},
                {"top1_agreement", test.result.top1_agreement}});
  } else {
    print_line(sentence_of(test, info));
  }
  return exit_code_of(test);
}

}  // namespace resemote_tools
