// `resemote build`: the TensorRT engine of an artifact, built for this board and kept for every later start.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "command.h"
#include "errors.h"
#include "options.h"
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

// While one lives, a line on stderr says how long something has taken: on a terminal every second, else every minute.
class Stopwatch {
 public:
  explicit Stopwatch(const std::string& what) : what_(what), thread_(&Stopwatch::show, this) {}
  ~Stopwatch() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (on_terminal_) std::fputs("\r\x1b[K", stderr);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  void show() {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::seconds interval(on_terminal_ ? 1 : 60);
    while (!changed_.wait_for(lock, interval, [this] { return ended_; })) {
      std::fprintf(stderr, on_terminal_ ? "\r%s: %.0f s" : "%s: %.0f s\n", what_.c_str(), seconds());
      std::fflush(stderr);
    }
  }

  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool on_terminal_ = isatty(STDERR_FILENO) == 1;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

// Names in a folder; empty if it cannot be read.
std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  DIR* const stream = opendir(folder.c_str());
  if (stream == nullptr) return names;
  while (const dirent* const entry = readdir(stream)) names.insert(entry->d_name);
  closedir(stream);
  return names;
}

}  // namespace

int build_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  SessionChoice choice(options);
  choice.keep_engines_of(options.argument(0));
  const resemote_backend_choice chosen = choose_backend(options.argument(0), choice.options());
  if (std::strcmp(chosen.backend, "tensorrt") != 0) {
    throw ToolError(options.argument(0) + ": would run in " + chosen.backend + " on " + chosen.device +
                        ", which builds no engine" + (chosen.skipped[0] == '\0' ? "" : std::string("; ") + chosen.skipped),
                    "pass an artifact that was exported for TensorRT, on a machine that has it");
  }
  if (choice.cache_dir().empty()) {
    throw ToolError("there is no folder to keep the engine in", "pass --cache-dir, or set HOME or XDG_CACHE_HOME");
  }
  print_error("building the engine of " + std::string(chosen.file) + " on " + chosen.device + "; this may take minutes");
  const std::set<std::string> before = names_in(choice.cache_dir());
  double seconds = 0.0;
  resemote_self_test_result result = resemote_self_test_result();
  result.struct_size = sizeof result;
  resemote_status status = RESEMOTE_STATUS_OK;
  {
    const Stopwatch stopwatch("building the engine");
    resemote::Session session(options.argument(0), choice.options());
    seconds = stopwatch.seconds();
    status = resemote_session_self_test(session.get(), &result);
  }
  if (status != RESEMOTE_STATUS_SELF_TEST_FAILED) resemote::check(status);
  const bool passed = status == RESEMOTE_STATUS_OK;
  const bool built = names_in(choice.cache_dir()) != before;
  if (options.json()) {
    print_json({{"artifact", options.argument(0)},
                {"backend", chosen.backend},
                {"device", chosen.device},
                {"file", chosen.file},
                {"cache_dir", choice.cache_dir()},
                {"engine", built ? "built" : "from cache"},
                {"seconds", seconds},
                {"self_test", passed ? "passed" : "failed"},
                {"max_abs_diff", result.max_abs_diff},
                {"max_abs_diff_limit", result.limit}});
  } else {
    print_line("engine: " + (built ? "built in " + format_number("%.0f s", seconds) : std::string("from cache")) + ", in " +
               choice.cache_dir());
    print_line(std::string("self-test ") + (passed ? "passed" : "FAILED") + ": largest difference " +
               format_number("%.3g", result.max_abs_diff) + " (limit " + format_number("%.3g", result.limit) + ")");
  }
  return passed ? EXIT_OK : EXIT_NOT_PASSED;
}

}  // namespace resemote_tools
