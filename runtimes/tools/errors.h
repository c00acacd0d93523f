// Errors of the tools, and the exit code of each: the same codes as those of resemote-edge.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace resemote_tools {

enum ExitCode {
  EXIT_OK = 0,
  EXIT_ERROR = 1,         // something cannot be used; the message says what to do
  EXIT_USAGE = 2,         // the command line is wrong
  EXIT_NOT_PASSED = 3,    // the self-test failed
  EXIT_SOURCE_LOST = 4,   // a camera failed and did not come back
  EXIT_BUG = 70,          // an error that no tool expects
  EXIT_SIGNAL = 128       // plus the number of the signal
};

// A user's error: what failed and what was found, and what to do about it.
class ToolError : public std::runtime_error {
 public:
  explicit ToolError(const std::string& reason, const std::string& hint = "", int exit_code = EXIT_ERROR)
      : std::runtime_error(hint.empty() ? reason : reason + "; " + hint), exit_code_(exit_code) {}
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

// A command line that a command does not understand.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message) : std::runtime_error(message) {}
};

// A command that was asked to stop, and has put its things in order.
class Interrupted {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int exit_code() const noexcept { return EXIT_SIGNAL + signal_; }

 private:
  int signal_;
};

// Writes the exception being handled to stderr, in one line. Returns its exit code. `command` is the command that was
// running, or "" if none was.
int report_exception(const char* command) noexcept;

// The whole of a program's main: sets up the signals, runs it and writes out what it printed. Returns its exit code.
int run_main(const char* command, const std::function<int()>& run) noexcept;

// Description of errno, such as "No such file or directory".
std::string system_message(int error_number);

}  // namespace resemote_tools
