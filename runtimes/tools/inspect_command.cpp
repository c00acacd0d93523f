// `resemote inspect`: what an artifact is, and where it would run here.
#include "command.h"
#include "errors.h"
#include "options.h"
#include "session_choice.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

const Usage& usage() {
  static const Usage usage = {
      "inspect", "ARTIFACT",
      "Show what ARTIFACT is, and in which backend and on which device it would run here.",
      "resemote inspect artifacts/resemotenet-xs-fer2013-onnx-fp32",
      with_session_options({})};
  return usage;
}

}  // namespace

int inspect_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const SessionChoice choice(options);
  const resemote_session_options session = choice.options();
  resemote_backend_choice found = resemote_backend_choice();
  found.struct_size = sizeof found;
  resemote::check(resemote_backend_choose(options.argument(0).c_str(), &session, &found));
  if (options.json()) {
    print_json({{"backend", found.backend}, {"device", found.device}, {"file", found.file}, {"skipped", found.skipped}});
  } else {
    print_line(std::string("runs in ") + found.backend + " on " + found.device + " (" + found.file + ")");
  }
  return EXIT_OK;
}

}  // namespace resemote_tools
