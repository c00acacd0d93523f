#include "measuring/row.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "errors.h"
#include "evaluation/evaluate.h"
#include "machine/energy.h"
#include "machine/system.h"
#include "machine/throttling.h"
#include "measuring/latency.h"
#include "passport.h"

namespace resemote_tools {
namespace {

// Time over which idle power is measured, and bounds of a run's length; longer ones say no more.
constexpr double IDLE_SECONDS = 3.0, SHORTEST_SECONDS = 3.0, LONGEST_SECONDS = 15.0;

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

void pin(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    if (core < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(core), &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    const int error = errno;
    throw ToolError("the process cannot be pinned to its cores: " + system_message(error));
  }
}

long long peak_bytes() {
  const std::string line = field(System("").text("proc/self/status"), "VmHWM");
  return parse_integer(line.substr(0, line.find(' '))).otherwise(0) * 1024;
}

std::string engine_version(const std::string& backend, const resemote_session_options& options) {
  resemote_backend_info info = RESEMOTE_BACKEND_INFO_INIT;
  resemote::check(resemote_backend_probe(backend.c_str(), options.library, &info));
  return info.version;
}

// A second run, in which sensors are read and nothing else is timed: reading them keeps a core and its bus busy.
nlohmann::json measure_energy(const Job& job, const Subjects& subjects, const System& system) {
  const PowerMonitor monitor(system);
  if (!monitor.found()) return not_measured("no energy sensor can be read here (ina3221: " + monitor.why() + ")");
  EnergyRecorder idle(monitor);
  usleep(static_cast<useconds_t>(std::max(monitor.min_seconds(), IDLE_SECONDS) * 1e6));
  idle.stop();
  Maybe<double> idle_watts;
  if (idle.why_not_trusted().empty()) idle_watts = idle.joules() / idle.seconds();
  Settings settings = job.settings;
  settings.warmup_runs = 0;
  settings.warmup_seconds = 0.0;
  settings.min_seconds =
      std::max({monitor.min_seconds(), SHORTEST_SECONDS, std::min(job.settings.min_seconds, LONGEST_SECONDS)});
  const auto crops = [&] {
    long long sum = 0;
    for (const auto& subject : subjects) sum += subject->crops_done();
    return sum;
  };
  const long long before = crops();
  EnergyRecorder recorder(monitor);
  job.scenario->run(subjects, settings);
  recorder.stop();
  return recorder.result(crops() - before, idle_watts);
}

nlohmann::json speed_of(const Job& job, const SessionChoice& choice, const System& system, const Passport& passport,
                        nlohmann::json& packages) {
  resemote_session_options options = choice.options();
  options.threads = std::max(job.threads / job.streams, 1);
  // The engine's library is found before the clock starts.
  const resemote_backend_choice chosen = choose_backend(job.artifact, options);
  packages = {{"libresemote", resemote_version()}, {chosen.backend, engine_version(chosen.backend, options)}};
  Subjects subjects;
  const std::int64_t begun = now_ns();
  subjects.emplace_back(new Subject(job.artifact, options, job.batch, job.crop_side));
  const std::int64_t loaded = now_ns();
  subjects.front()->run_model();
  const std::int64_t first = now_ns();
  while (subjects.size() < static_cast<std::size_t>(job.streams)) {
    subjects.emplace_back(new Subject(job.artifact, options, job.batch, job.crop_side));
  }
  ThrottleWatch watch(system);
  const Taken taken = job.scenario->run(subjects, job.settings);
  watch.stop();
  const long long peak = peak_bytes();
  const nlohmann::json energy = measure_energy(job, subjects, system);
  const resemote_session_info& info = subjects.front()->network().info();
  const double mean_s = std::accumulate(taken.model.begin(), taken.model.end(), 0.0) / 1e9 /
                        static_cast<double>(taken.model.size());
  return {{"type", "speed"},
          {"device", info.device},
          {"runtime_version", resemote_version()},
          {"file", info.file},
          {"file_sha256", file_entry(passport, info.file).at("sha256")},
          {"cores", allowed_cores(System(""))},
          {"warm_up", taken.warm_up},
          {"load_time_ms", milliseconds(loaded - begun)},
          {"first_inference_ms", milliseconds(first - loaded)},
          {"model", latency_of(taken.model)},
          {"crop_to_decision", latency_of(whole_times(taken.stages))},
          {"stages", {{"preprocess", latency_of(times_of(taken.stages, PREPROCESS))},
                      {"inference", latency_of(times_of(taken.stages, INFERENCE))},
                      {"postprocess", latency_of(times_of(taken.stages, POSTPROCESS))}}},
          {"throughput_samples_per_s", static_cast<double>(job.batch) / mean_s},
          {"harness_p50_us", nullptr},
          {"peak_memory_bytes", peak},
          {"outcome", taken.outcome},
          {"samples_sha256", nullptr},
          {"energy", energy},
          {"state_before", watch.before()},
          {"state_after", watch.after()},
          {"throttled", watch.changes()},
          {"did_throttle", watch.did_throttle()}};
}

nlohmann::json row_of(const Job& job, const SessionChoice& choice) {
  const System system = System::here();
  pin(choose_cores(System(""), job.threads));
  nlohmann::json packages;
  choose_backend(job.artifact, choice.options());  // the library judges the passport before it is read here
  const Passport passport = read_passport(job.artifact);
  const nlohmann::json most = passport.facts.at("batch").at("max");
  if (!most.is_null() && most.get<std::size_t>() < job.batch) {
    throw ToolError(job.artifact + ": its largest batch is " + most.dump() + ", asked for " + std::to_string(job.batch),
                    "see --batch");
  }
  const nlohmann::json speed = speed_of(job, choice, system, passport, packages);
  nlohmann::json row = {{"artifact", passport.facts.at("name")},
                        {"passport_sha256", passport.sha256},
                        {"target", passport.facts.at("target")},
                        {"precision", passport.facts.at("precision")},
                        {"width", passport.facts.at("lineage").at("width")},
                        {"runtime", "native"},
                        {"scenario", job.scenario->name},
                        {"batch", job.batch},
                        {"threads", job.threads},
                        {"streams", job.streams},
                        {"slow_to_ms", 0.0},
                        {"model_size_bytes", model_size_bytes(passport, speed.at("file"))},
                        {"speed", speed},
                        {"accuracy", nullptr},
                        {"precision_hint", nullptr},
                        {"samples", nullptr}};
  return {{"row", row}, {"packages", packages}};
}

nlohmann::json accuracy_of(const Job& job, const SessionChoice& choice, const std::string& path) {
  pin(choose_cores(System(""), job.threads));
  const CropsFile crops(path);
  resemote_session_options options = choice.options();
  options.threads = job.threads;
  Network network(job.artifact, options, EVALUATION_BATCH);
  Accuracy accuracy(network.labels());
  evaluate(network, crops, accuracy, nullptr, [](std::size_t) {});
  return accuracy_report(accuracy, crops);
}

}  // namespace

Measured measure_row(const Job& job, const SessionChoice& choice, const StopRequest& stop) {
  return run_apart([&] { return row_of(job, choice); }, job.timeout_s, stop);
}

Measured measure_accuracy(const Job& job, const SessionChoice& choice, const std::string& crops, const StopRequest& stop) {
  return run_apart([&] { return accuracy_of(job, choice, crops); }, job.timeout_s, stop);
}

}  // namespace resemote_tools
