// Signals: Control-C and the system's request to end. Without a StopRequest they end the program at once.
#pragma once

namespace resemote_tools {

// What SIGPIPE and the like mean to every command; called once, by main.
void set_up_signals();

// While one lives, the first SIGINT or SIGTERM is noted here, and a second one ends the program at once. For commands
// that have something to put in order: they ask between two steps.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  // Number of the signal; 0 if there was none.
  int signal() const noexcept;
  // Throws Interrupted if there was one.
  void check() const;
};

}  // namespace resemote_tools
