// resemote: artifacts on machines without Python. The table of its commands; each has a file of its own.
#include <algorithm>
#include <cstring>
#include <string>

#include "command.h"
#include "errors.h"
#include "resemote/runtime.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

// In the order of `resemote --help`.
const Command COMMANDS[] = {
    {"probe", "List the backends, and say which of them work here.", probe_command},
    {"inspect", "Show what an artifact is, and where it would run here.", inspect_command},
    {"verify", "Run the self-test of an artifact on this machine.", verify_command},
    {"build", "Build the engine of an artifact for this board, and test it.", build_command},
    {"classify", "Classify the expression of the face in a picture.", classify_command},
    {"bench", "Measure latency, memory and size of artifacts, and the state of the board.", bench_command},
    {"eval", "Measure the accuracy of an artifact on a packed dataset.", eval_command},
#ifdef RESEMOTE_WITH_CAMERA
    {"camera", "Follow the faces that a camera, stream or film shows.", camera_command},
#endif
};

void print_help() {
  print_line(
      "Usage: resemote COMMAND [OPTIONS] [ARGUMENTS]...\n\n"
      "  Run artifacts of resemote-edge on a machine without Python. An artifact is a folder that\n"
      "  'resemote-edge export' made on another machine. 'resemote COMMAND --help' explains a command.\n\n"
      "  Example:\n"
      "    resemote probe\n"
      "    resemote verify artifacts/resemotenet-xs-fer2013-onnx-fp32\n\n"
      "Commands:");
  std::size_t width = 0;
  for (const Command& command : COMMANDS) width = std::max(width, std::strlen(command.name));
  for (const Command& command : COMMANDS) {
    print_line("  " + std::string(command.name) + std::string(width + 2 - std::strlen(command.name), ' ') +
               command.summary);
  }
  print_line("\nOptions:\n  --version   Show the version and exit.\n  -h, --help  Show this message and exit.");
}

int run(int argc, char** argv) {
  if (argc < 2) {
    print_help();
    return EXIT_USAGE;
  }
  const std::string word = argv[1];
  if (word == "-h" || word == "--help") {
    print_help();
    return EXIT_OK;
  }
  if (word == "--version") {
    print_line(std::string("resemote, version ") + resemote_version());
    return EXIT_OK;
  }
  for (const Command& command : COMMANDS) {
    if (word == command.name) return command.run(argc - 1, argv + 1);
  }
  if (word == "camera") return camera_command(argc - 1, argv + 1);  // says why it is not in the table
  throw UsageError((word.front() == '-' ? "there is no option '" : "there is no command '") + word + "'");
}

const char* running(int argc, char** argv) {
  for (const Command& command : COMMANDS) {
    if (argc > 1 && std::strcmp(argv[1], command.name) == 0) return command.name;
  }
  return "";
}

}  // namespace
}  // namespace resemote_tools

int main(int argc, char** argv) {
  using namespace resemote_tools;
  return run_main(running(argc, argv), [&] { return run(argc, argv); });
}
