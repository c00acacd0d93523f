#include "signals.h"

#include <unistd.h>

#include <csignal>

#include "errors.h"

namespace resemote_tools {
namespace {

volatile std::sig_atomic_t noted = 0;

void note(int number) {
  if (noted != 0) _exit(EXIT_SIGNAL + number);
  noted = number;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

// A reader of our output that goes away is an error of writing, with a message.
void set_up_signals() { handle(SIGPIPE, SIG_IGN); }

StopRequest::StopRequest() {
  noted = 0;
  handle(SIGINT, note);
  handle(SIGTERM, note);
}

StopRequest::~StopRequest() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
}

int StopRequest::signal() const noexcept { return noted; }

void StopRequest::check() const {
  if (noted != 0) throw Interrupted(noted);
}

}  // namespace resemote_tools
