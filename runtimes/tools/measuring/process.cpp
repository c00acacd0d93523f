#include "measuring/process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include "errors.h"
#include "measuring/timing.h"
#include "resemote/runtime.hpp"

namespace resemote_tools {
namespace {

constexpr int LOOK_MS = 100;

// What the child writes: what it found, or why it found nothing.
nlohmann::json found_in_child(const std::function<nlohmann::json()>& work) {
  try {
    return {{"found", work()}};
  } catch (const resemote::Failure& failure) {
    const bool refused = failure.status() == RESEMOTE_STATUS_BACKEND_UNAVAILABLE ||
                         failure.status() == RESEMOTE_STATUS_DEVICE_UNAVAILABLE;
    return {{"failure", failure.what()}, {"refused", refused}};
  } catch (const Interrupted&) {
    return {{"failure", "interrupted"}};
  } catch (const std::bad_alloc&) {
    return {{"failure", "not enough memory"}};
  } catch (const std::exception& error) {
    return {{"failure", error.what()}};
  }
}

[[noreturn]] void run_child(const std::function<nlohmann::json()>& work, int pipe, pid_t parent) {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_ERROR);  // it died before the kernel was asked
  const std::string text = found_in_child(work).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t part = write(pipe, text.data() + at, text.size() - at);
    if (part < 0 && errno != EINTR) break;
    if (part > 0) at += static_cast<std::size_t>(part);
  }
  // Engines keep threads that may complain when they are taken down.
  _exit(EXIT_OK);
}

// Reads what the child writes, until it ends, is too late or is to be stopped.
bool read_to_end(int pipe, std::string& text, double timeout_s, const StopRequest& stop) {
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(timeout_s * 1e9);
  char buffer[4096];
  while (now_ns() < end && stop.signal() == 0) {
    pollfd waiting = {pipe, POLLIN, 0};
    if (poll(&waiting, 1, LOOK_MS) <= 0) continue;
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return false;
}

std::string end_of(int state) {
  if (WIFSIGNALED(state)) {
    return std::string("its process was ended by signal ") + std::to_string(WTERMSIG(state)) + " (" +
           strsignal(WTERMSIG(state)) + "); there may not be enough memory";
  }
  return "its process ended itself with exit code " + std::to_string(WEXITSTATUS(state));
}

}  // namespace

Measured run_apart(const std::function<nlohmann::json()>& work, double timeout_s, const StopRequest& stop) {
  int ends[2];
  if (pipe(ends) != 0) throw ToolError("no process can be started: " + system_message(errno));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw ToolError("no process can be started: " + system_message(errno));
  if (child == 0) {
    close(ends[0]);
    run_child(work, ends[1], parent);
  }
  close(ends[1]);
  std::string text;
  const bool whole = read_to_end(ends[0], text, timeout_s, stop);
  close(ends[0]);
  if (!whole) kill(child, SIGKILL);
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  stop.check();
  Measured measured;
  if (!whole) {
    measured.failure = "it took longer than " + std::to_string(static_cast<long>(timeout_s)) +
                       " s; allow more with --timeout";
    return measured;
  }
  const nlohmann::json found = nlohmann::json::parse(text, nullptr, false);
  if (!found.is_object()) {
    measured.failure = end_of(state);
    return measured;
  }
  measured.found = found.value("found", nlohmann::json());
  measured.failure = found.value("failure", "");
  measured.refused = found.value("refused", false);
  return measured;
}

}  // namespace resemote_tools
