// `resemote build`: the TensorRT engine of an artifact, built for this board and kept for every later start.
#include <cstring>
#include <string>

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
      "build", "ARTIFACT",
      "Build the TensorRT engine of ARTIFACT for this board, and run the artifact's self-test on it.\n\n"
      "An engine belongs to the GPU and the TensorRT version that it was built for, so a board builds its own from the "
      "ONNX file in the artifact. This takes minutes, once: every command finds the engine in the cache folder. If the "
      "engine is there already, the command says so. The exit code is 3 if the self-test is not passed.",
      "resemote build artifacts/resemotenet-xs-fer2013-jetson-nano\n"
      "resemote build artifacts/resemotenet-xs-fer2013-jetson-nano --cache-dir /var/cache/resemote",
      with_session_options({})};
  return usage;
}

}  // namespace

int build_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const SessionChoice choice(options);
  const resemote_backend_choice chosen = choose_backend(options.argument(0), choice.options());
  if (std::strcmp(chosen.backend, "tensorrt") != 0) {
    throw ToolError(options.argument(0) + ": would run in " + chosen.backend + " on " + chosen.device +
                        ", which builds no engine" + (chosen.skipped[0] == '\0' ? "" : std::string("; ") + chosen.skipped),
                    "pass an artifact that was exported for TensorRT, on a machine that has it");
  }
  print_error("building the engine of " + std::string(chosen.file) + " on " + chosen.device + "; this may take minutes");
  const resemote::Session session = open_with_progress<resemote::Session>(options.argument(0), choice.options());
  const resemote_session_info info = session.info();
  const SelfTest test = run_self_test(session.get());
  if (options.json()) {
    print_json({{"artifact", options.argument(0)},
                {"backend", chosen.backend},
                {"device", chosen.device},
                {"file", chosen.file},
                {"engine", info.engine},
                {"self_test", test.passed ? "passed" : "failed"},
                {"max_abs_diff", test.result.max_abs_diff},
                {"max_abs_diff_limit", test.result.limit}});
  } else {
    print_line(std::string("engine: ") + info.engine);
    print_line("self-test " + sentence_of(test, info));
  }
  return exit_code_of(test);
}

}  // namespace resemote_tools
