#include "signals.h"

#include <unistd.h>

#include <csignal>

#include "errors.h"

namespace resemote_tools {
namespace {

volatile std::sig_atomic_t noted = 0;
bool told = false;  // whether somebody asked since

void note(int number) {
  if (noted != 0) _exit(EXIT_SIGNAL + number);
  noted = number;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // who waits for a signal asks for it, and writes need not begin anew
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

// A reader of our output that goes away is an error of writing, with a message.
void set_up_signals() { handle(SIGPIPE, SIG_IGN); }

StopRequest::StopRequest() {
  noted = 0;
  told = false;
  handle(SIGINT, note);
  handle(SIGTERM, note);
}

StopRequest::~StopRequest() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  if (noted != 0 && !told) raise(noted);  // it came after the last question: it ends the program, as without a request
}

int StopRequest::signal() const noexcept {
  const int number = noted;
  told = told || number != 0;
  return number;
}

void StopRequest::check() const {
  const int number = signal();
  if (number != 0) throw Interrupted(number);
}

}  // namespace resemote_tools
