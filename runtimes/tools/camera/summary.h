// Summary: what became of all the frames of a run, for people and as JSON. The Python counterpart is camera/summary.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results.h"
#include "sink.h"
#include "tally.h"

namespace resemote_camera {

struct Summary {
  std::string source;
  std::string session;
  Tally tally;
  std::int64_t captured = 0;
  Counts dropped;
  int restarts = 0;
  bool lost = false;
  int faces = 0;
  int detect_every = 1;
  bool live = false;
};

// Writes JSON to stdout.
void print_summary_json(const Summary& summary, const std::vector<SinkWorker>& sinks);

// Writes a few lines to stderr.
void tell_summary(const Summary& summary, const std::vector<SinkWorker>& sinks);

}  // namespace resemote_camera
