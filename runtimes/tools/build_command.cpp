// `resemote build`: the TensorRT engine of an artifact, built for this board and kept for every later start.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "command.h"
#include "errors.h"
#include "options.h"
#include "session_choice.h"
#include "signals.h"
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

// Shows how far the library is with an engine: on a terminal every second, else every minute. Asks it to stop when a
// signal did.
class BuildProgress {
 public:
  explicit BuildProgress(resemote_session_options& options) {
    options.progress = [](void* self, const resemote_progress* progress) {
      return static_cast<BuildProgress*>(self)->show(*progress);
    };
    options.user_data = this;
  }
  ~BuildProgress() { clear(); }
  BuildProgress(const BuildProgress&) = delete;
  BuildProgress& operator=(const BuildProgress&) = delete;

  // Throws Interrupted if a signal was the reason why there is no session.
  void check() const { stop_.check(); }

 private:
  std::int32_t show(const resemote_progress& progress) noexcept {
    if (progress.seconds < shown_) shown_ = 0.0;  // another stage
    if (progress.seconds >= shown_ + (on_terminal_ ? 1.0 : 60.0)) {
      shown_ = progress.seconds;
      std::fprintf(stderr, "%s%s: %.0f s", on_terminal_ ? "\r\x1b[K" : "", progress.stage, progress.seconds);
      if (progress.fraction >= 0.0) std::fprintf(stderr, ", %.0f %%", progress.fraction * 100.0);
      if (!on_terminal_) std::fputs("\n", stderr);
      std::fflush(stderr);
    }
    return stop_.signal();
  }

  void clear() const noexcept {
    if (on_terminal_) std::fputs("\r\x1b[K", stderr);
  }

  StopRequest stop_;
  double shown_ = 0.0;
  bool on_terminal_ = isatty(STDERR_FILENO) == 1;
};

// The session of an artifact, with its engine built if it is not kept yet.
resemote::Session build(const std::string& artifact, resemote_session_options options) {
  const BuildProgress progress(options);
  try {
    return resemote::Session(artifact, options);
  } catch (const resemote::Failure&) {
    progress.check();
    throw;
  }
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
  resemote::Session session = build(options.argument(0), choice.options());
  const std::string engine = session.info().engine;
  resemote_self_test_result result = RESEMOTE_SELF_TEST_RESULT_INIT;
  const resemote_status status = resemote_session_self_test(session.get(), &result);
  if (status != RESEMOTE_STATUS_SELF_TEST_FAILED) resemote::check(status);
  const bool passed = status == RESEMOTE_STATUS_OK;
  if (options.json()) {
    print_json({{"artifact", options.argument(0)},
                {"backend", chosen.backend},
                {"device", chosen.device},
                {"file", chosen.file},
                {"engine", engine},
                {"self_test", passed ? "passed" : "failed"},
                {"max_abs_diff", result.max_abs_diff},
                {"max_abs_diff_limit", result.limit}});
  } else {
    print_line("engine: " + engine);
    print_line(std::string("self-test ") + (passed ? "passed" : "FAILED") + ": largest difference " +
               format_number("%.3g", result.max_abs_diff) + " (limit " + format_number("%.3g", result.limit) + ")");
  }
  return passed ? EXIT_OK : EXIT_NOT_PASSED;
}

}  // namespace resemote_tools
