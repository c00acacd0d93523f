#include "summary.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "../terminal.h"
#include "../text.h"

namespace resemote_camera {
namespace {

using nlohmann::json;
using resemote_tools::format_number;

double rounded(double value, double units) { return std::round(value * units) / units; }

std::string text_of(const Counts& counts) {
  std::vector<std::string> texts;
  for (const auto& entry : counts) texts.push_back(std::to_string(entry.second) + " " + entry.first);
  return resemote_tools::joined(texts);
}

void tell(const std::string& name, const std::string& text) {
  resemote_tools::print_error("  " + name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + text);
}

}  // namespace

void print_summary_json(const Summary& summary, const std::vector<SinkWorker>& sinks) {
  json written = json::array();
  for (const SinkWorker& sink : sinks) {
    const std::string unfinished = sink.unfinished();
    written.push_back({{"sink", sink.address()},
                       {"written", sink.written()},
                       {"lost", sink.lost()},
                       {"unfinished", unfinished.empty() ? json() : json(unfinished)}});
  }
  json ages;
  if (summary.live && summary.tally.decided() > 0) {
    const Ages found = summary.tally.ages();
    ages = {{"p50_ms", rounded(found.p50_ms, 1e3)},
            {"p95_ms", rounded(found.p95_ms, 1e3)},
            {"p99_ms", rounded(found.p99_ms, 1e3)},
            {"max_ms", rounded(found.max_ms, 1e3)}};
  }
  const double fps = summary.tally.fps();
  resemote_tools::print_json({{"source", summary.source},
                              {"session", summary.session},
                              {"seconds", rounded(summary.tally.seconds(), 1e3)},
                              {"captured", summary.captured},
                              {"decided", summary.tally.decided()},
                              {"dropped", summary.dropped},
                              {"restarts", summary.restarts},
                              {"lost", summary.lost},
                              {"faces", summary.faces},
                              {"detect_every", summary.detect_every},
                              {"fps", fps > 0.0 ? json(rounded(fps, 1e2)) : json()},
                              {"decision_age", ages},
                              {"sinks", written}});
}

void tell_summary(const Summary& summary, const std::vector<SinkWorker>& sinks) {
  const Tally& tally = summary.tally;
  resemote_tools::print_error(summary.source + ", " + format_number("%.1f s", tally.seconds()));
  const std::string rate = tally.fps() > 0.0 ? format_number(", %.1f a second", tally.fps()) : "";
  tell("frames", std::to_string(summary.captured) + " came, " + std::to_string(tally.decided()) + " were decided" + rate);
  tell("dropped", summary.dropped.empty() ? "none" : text_of(summary.dropped));
  tell("faces", std::to_string(summary.faces) + " followed, detected in every frame of " +
                    std::to_string(summary.detect_every));
  if (summary.live && tally.decided() > 0) {
    const Ages ages = tally.ages();
    tell("decision age", format_number("p50 %.1f ms", ages.p50_ms) + format_number(", p95 %.1f ms", ages.p95_ms) +
                             format_number(", p99 %.1f ms", ages.p99_ms) + format_number(", max %.1f ms", ages.max_ms));
  }
  if (summary.restarts > 0 || summary.lost) {
    tell("source", "came back " + std::to_string(summary.restarts) + (summary.restarts == 1 ? " time" : " times") +
                       (summary.lost ? ", and had not come back at the end" : ""));
  }
  for (const SinkWorker& sink : sinks) {
    const Counts lost = sink.lost();
    tell(sink.address(), std::to_string(sink.written()) + " written" + (lost.empty() ? "" : "; lost " + text_of(lost)) +
                             (sink.unfinished().empty() ? "" : "; " + sink.unfinished()));
  }
}

}  // namespace resemote_camera
