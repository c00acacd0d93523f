// `resemote bench`: latency, memory and size of artifacts, as a report that `resemote-edge bench` reads.
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "command.h"
#include "errors.h"
#include "evaluation/crops_file.h"
#include "file.h"
#include "machine/environment.h"
#include "measuring/row.h"
#include "options.h"
#include "session_choice.h"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

constexpr int REPORT_SCHEMA = 2;
constexpr long MOST_BATCH = 4096, MOST_STREAMS = 64;

std::string names_of_scenarios() {
  std::vector<std::string> names;
  for (const Scenario& scenario : scenarios()) names.push_back(scenario.name);
  return joined(names);
}

const Usage& usage() {
  static const std::string scenario_help = "Scenarios to measure, separated by commas: " + names_of_scenarios() + ".";
  static const Usage usage = {
      "bench", "ARTIFACT...",
      "Measure latency, memory and size of each ARTIFACT, and its accuracy if --crops names a packed dataset.\n\n"
      "Each combination of artifact, scenario and batch size is a row of the report. Every row is measured in its own "
      "process, pinned to as many cores as --threads says. If a row fails, the report says why, the other rows are still "
      "measured, and the exit code is 1. The report also holds the facts of the board: clocks, power mode, "
      "temperatures, throttling before, during and after each row, and the energy if the board has an INA3221.\n\n"
      "With -o, the command writes the report as JSON. On another machine, 'resemote-edge bench import' checks it and "
      "makes pages and tables of it.",
      "resemote bench artifacts/resemotenet-xs-fer2013-onnx-fp32\n"
      "resemote bench artifacts/* --scenario single-stream,camera --batch 1,4 -o board.json",
      with_session_options({
          {"scenario", 0, "NAMES", "single-stream", scenario_help.c_str()},
          {"batch", 0, "NUMBERS", "1,8", "Numbers of crops per call or frame, separated by commas."},
          {"streams", 0, "N", "1", "Number of sessions that run side by side in the scenario offline."},
          {"preset", 0, "NAME", "standard",
           "Time spent on each row: quick takes about 1 s, standard 5 s, sustained 2 minutes. A row takes twice as long "
           "if the model is also timed alone."},
          {"crop-side", 0, "PIXELS", "48", "Width and height of the face crops."},
          {"fps", 0, "RATE", "30", "Frames per second that arrive in the scenario camera."},
          {"queue", 0, "N", "1",
           "Number of frames that may wait in the scenario camera. When one more arrives, the oldest is dropped."},
          {"min-seconds", 0, "SECONDS", nullptr, "Shortest time to measure a row. [default: the preset's]"},
          {"min-runs", 0, "N", nullptr, "Smallest number of timed calls in a row. [default: the preset's]"},
          {"warmup", 0, "N", nullptr,
           "Number of untimed calls before the measurement. [default: as many as it takes for times to settle]"},
          {"crops", 0, "FILE", nullptr,
           "Packed dataset to measure accuracy on, a file of 'resemote-edge data pack'. [default: accuracy is not "
           "measured]"},
          {"timeout", 0, "SECONDS", "1800", "Seconds after which the process that measures a row is ended."},
          {"output", 'o', "FILE", nullptr, "File to write the report into."},
          {"force", 0, nullptr, nullptr, "Replace the file."},
      })};
  return usage;
}

Settings settings_of(const Options& options) {
  Settings settings;
  const std::string preset = options.choice("preset", {"quick", "standard", "sustained"});
  if (preset == "quick") {
    settings.warmup_seconds = 1.0;
    settings.min_runs = 50;
    settings.min_seconds = 1.0;
    settings.window_seconds = 0.25;
  } else if (preset == "sustained") {
    settings.warmup_seconds = 10.0;
    settings.min_runs = 4000;
    settings.min_seconds = 120.0;
    settings.window_seconds = 5.0;
  }
  settings.fps = options.real("fps", 0.001, 10000.0);
  settings.queue_frames = static_cast<int>(options.integer("queue", 1, 1000));
  if (options.has("min-seconds")) settings.min_seconds = options.real("min-seconds", 0.0, 86400.0);
  if (options.has("min-runs")) settings.min_runs = static_cast<int>(options.integer("min-runs", 1, 10000000));
  if (options.has("warmup")) {
    settings.warmup_runs = static_cast<int>(options.integer("warmup", 0, 10000000));
    settings.warmup_seconds = 0.0;
  }
  return settings;
}

std::vector<std::size_t> batches_of(const Options& options) {
  std::vector<std::size_t> batches;
  for (const std::string& word : options.list("batch")) {
    const Maybe<long long> number = parse_integer(word);
    if (!number || *number < 1 || *number > MOST_BATCH) {
      throw UsageError("--batch: '" + word + "' is no whole number from 1 to " + std::to_string(MOST_BATCH));
    }
    batches.push_back(static_cast<std::size_t>(*number));
  }
  return batches;
}

std::vector<const Scenario*> scenarios_of(const Options& options) {
  std::vector<const Scenario*> chosen;
  for (const std::string& word : options.list("scenario")) {
    const auto found = std::find_if(scenarios().begin(), scenarios().end(),
                                    [&](const Scenario& scenario) { return word == scenario.name; });
    if (found == scenarios().end()) {
      throw UsageError("--scenario: '" + word + "' is not one of " + names_of_scenarios());
    }
    chosen.push_back(&*found);
  }
  return chosen;
}

// Every row that is to be measured.
std::vector<Job> jobs_of(const Options& options) {
  Job job;
  job.settings = settings_of(options);
  job.timeout_s = options.real("timeout", 1.0, 1e7);
  job.crop_side = static_cast<int>(options.integer("crop-side", 8, 1024));
  const int cores = static_cast<int>(std::max<std::size_t>(allowed_cores(System("")).size(), 1));
  job.threads = options.has("threads") ? static_cast<int>(options.integer("threads", 1, 4L * cores)) : cores;
  const int streams = static_cast<int>(options.integer("streams", 1, MOST_STREAMS));
  const std::vector<const Scenario*> chosen = scenarios_of(options);
  const std::vector<std::size_t> batches = batches_of(options);
  std::vector<Job> jobs;
  for (const std::string& artifact : options.arguments()) {
    for (const Scenario* const scenario : chosen) {
      for (const std::size_t batch : batches) {
        job.artifact = artifact;
        job.scenario = scenario;
        job.batch = batch;
        job.streams = scenario->streams ? streams : 1;
        jobs.push_back(job);
      }
    }
  }
  return jobs;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text;
}

std::string name_of(std::string artifact) {
  while (artifact.size() > 1 && artifact.back() == '/') artifact.pop_back();
  return last_part(artifact);
}

std::string milliseconds(const nlohmann::json& latency, const char* name) {
  const nlohmann::json value = latency.value(name, nlohmann::json());
  return value.is_null() ? "few" : format_number("%.3f", value.get<double>());
}

void print_report(const nlohmann::json& report) {
  std::vector<std::vector<std::string>> table = {{"artifact", "device", "scenario", "batch", "threads", "p50 ms", "p90 ms",
                                                  "p99 ms", "crop* ms", "per s", "peak MiB", "accuracy", "throttled"}};
  for (const nlohmann::json& row : report.at("rows")) {
    const nlohmann::json& speed = row.at("speed");
    const nlohmann::json& model = speed.at("model");
    const nlohmann::json& throttle = speed.at("did_throttle");
    table.push_back({row.at("artifact"), speed.at("device"), row.at("scenario"), row.at("batch").dump(),
                     row.at("threads").dump(), milliseconds(model, "p50_ms"), milliseconds(model, "p90_ms"),
                     milliseconds(model, "p99_ms"), milliseconds(speed.at("crop_to_decision"), "p50_ms"),
                     format_number("%.1f", speed.at("throughput_samples_per_s")),
                     format_number("%.1f", speed.at("peak_memory_bytes").get<double>() / 1048576.0),
                     row.at("accuracy").is_null()
                         ? "-"
                         : format_number("%.2f %%", row.at("accuracy").at("accuracy").get<double>() * 100.0),
                     throttle.is_null() ? "not known" : throttle.get<bool>() ? "yes" : "no"});
  }
  if (table.size() > 1) {
    print_table(table);
    print_line("p50, p90, p99: latency of one call; few: too few samples; crop*: p50 from crops to decisions");
  }
  for (const nlohmann::json& row : report.at("rows")) {
    for (const nlohmann::json& sentence : row.at("speed").at("throttled")) {
      print_line("note: " + row.at("scenario").get<std::string>() + ", batch " + row.at("batch").dump() + ": " +
                 sentence.get<std::string>());
    }
  }
}

// What was measured so far.
struct Findings {
  nlohmann::json rows = nlohmann::json::array();
  nlohmann::json others = nlohmann::json::array();  // what was not measured
  nlohmann::json packages = nlohmann::json::object();
  std::string failures;
  bool failed = false;

  void add_failure(const Job& job, const std::string& what, const Measured& measured, bool is_row) {
    const std::string reason = one_line(measured.failure);
    print_error("not measured: " + what + ": " + reason);
    failed = failed || !measured.refused;
    // Rows of one artifact often fail for one reason.
    if (failures.find(reason) == std::string::npos) failures += (failures.empty() ? "" : "; ") + reason;
    others.push_back({{"artifact", name_of(job.artifact)},
                      {"runtime", "native"},
                      {"state", measured.refused ? "skipped" : "failed"},
                      {"reason", reason},
                      {"scenario", nullptr},
                      {"batch", nullptr},
                      {"threads", job.threads}});
    if (!is_row) return;
    others.back()["scenario"] = job.scenario->name;
    others.back()["batch"] = job.batch;
  }
};

// Adds the accuracy of an artifact to its rows, which are the last ones from `first` on.
void add_accuracy(Findings& found, std::size_t first, const Job& job, const SessionChoice& choice,
                  const std::string& crops, const StopRequest& stop) {
  if (found.rows.size() == first) return;
  const std::string what = name_of(job.artifact) + ", accuracy";
  print_error("measuring: " + what);
  const Measured measured = measure_accuracy(job, choice, crops, stop);
  if (!measured.found.is_object()) return found.add_failure(job, what, measured, false);
  for (std::size_t i = first; i < found.rows.size(); ++i) found.rows[i]["accuracy"] = measured.found;
}

Findings measure(const std::vector<Job>& jobs, const SessionChoice& choice, const std::string& crops) {
  const StopRequest stop;
  Findings found;
  std::size_t first = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i];
    const std::string what = name_of(job.artifact) + ", " + job.scenario->name + ", batch " + std::to_string(job.batch);
    print_error("measuring: " + what);
    const Measured measured = measure_row(job, choice, stop);
    if (measured.found.is_object()) {
      found.rows.push_back(measured.found.at("row"));
      found.packages.update(measured.found.at("packages"));
    } else {
      found.add_failure(job, what, measured, true);
    }
    if (i + 1 < jobs.size() && jobs[i + 1].artifact == job.artifact) continue;
    if (!crops.empty()) add_accuracy(found, first, job, choice, crops, stop);
    first = found.rows.size();
  }
  return found;
}

}  // namespace

int bench_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const std::vector<Job> jobs = jobs_of(options);
  const SessionChoice choice(options);
  const std::string output = options.text("output"), crops = options.text("crops");
  if (options.has("output")) check_output(output, options.has("force"));
  nlohmann::json data;
  if (options.has("crops")) data = CropsFile(crops).dataset();
  nlohmann::json environment = capture_environment(System::here());
  const Findings found = measure(jobs, choice, crops);
  if (found.rows.empty()) throw ToolError("nothing was measured: " + found.failures);
  environment["packages"] = found.packages;
  const std::string side = std::to_string(jobs.front().crop_side);
  const nlohmann::json report = {{"schema", REPORT_SCHEMA},
                                 {"created_utc", utc_now()},
                                 {"environment", environment},
                                 {"inputs", "drawn crops, " + side + "x" + side + " RGB"},
                                 {"accuracy_data", data},
                                 {"settings", jobs.front().settings},
                                 {"rows", found.rows},
                                 {"unmeasured", found.others}};
  // Printed first, so that what took minutes is shown if the file cannot be written after all.
  if (options.json()) {
    print_json(report);
  } else {
    print_report(report);
  }
  if (options.has("output")) {
    write_whole_file(output, report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    print_error("written: " + output);
  }
  return found.failed ? EXIT_ERROR : EXIT_OK;
}

}  // namespace resemote_tools
