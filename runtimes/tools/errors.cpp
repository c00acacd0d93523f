#include "errors.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "resemote/runtime.hpp"
#include "signals.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

void say(const std::string& message) { print_error("Error: " + one_line(message)); }

int code_of(resemote_status status) {
  if (status == RESEMOTE_STATUS_SELF_TEST_FAILED) return EXIT_NOT_PASSED;
  return status == RESEMOTE_STATUS_INTERNAL ? EXIT_BUG : EXIT_ERROR;
}

int report(const char* command) {
  try {
    throw;
  } catch (const UsageError& error) {
    const std::string name = *command == '\0' ? "resemote" : std::string("resemote ") + command;
    print_error("Try '" + name + " --help' for help.");
    say(error.what());
    return EXIT_USAGE;
  } catch (const ToolError& error) {
    say(error.what());
    return error.exit_code();
  } catch (const resemote::Failure& error) {
    say(error.what());
    return code_of(error.status());
  } catch (const Interrupted& error) {
    print_error("Aborted.");
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    say("not enough memory; close other programs, or pass smaller batches or images");
    return EXIT_ERROR;
  } catch (const std::exception& error) {
    say(std::string(error.what()) + " (this is a bug in resemote; report it)");
  } catch (...) {
    say("an exception outside of std::exception (this is a bug in resemote; report it)");
  }
  return EXIT_BUG;
}

}  // namespace

int report_exception(const char* command) noexcept {
  try {
    return report(command);
  } catch (...) {
    std::fputs("Error: not enough memory even to say what went wrong\n", stderr);
    return EXIT_ERROR;
  }
}

int run_main(const char* command, const std::function<int()>& run) noexcept {
  set_up_signals();
  try {
    const int code = run();
    flush_output();
    return code;
  } catch (...) {
    return report_exception(command);
  }
}

std::string system_message(int error_number) { return std::strerror(error_number); }

}  // namespace resemote_tools
