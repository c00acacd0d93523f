#include "measuring/row.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <numeric>

#include "errors.h"
#include "machine/energy.h"
#include "machine/system.h"
#include "machine/throttling.h"
#include "measuring/latency.h"
#include "passport.h"

namespace resemote_tools {
namespace {

// Time over which idle power is measured, and bounds of a run's length; longer ones say no more.
constexpr double IDLE_SECONDS = 3.0, SHORTEST_SECONDS = 3.0, LONGEST_SECONDS = 15.0;
constexpr int LOOK_MS = 100;

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

void pin(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    if (core < CPU_SETSIZE) CPU_SET(core, &set);
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
  resemote_backend_info info = resemote_backend_info();
  info.struct_size = sizeof info;
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
  if (idle.refusal().empty()) idle_watts = idle.joules() / idle.seconds();
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

// What the child writes: a row, or why there is none.
nlohmann::json found_in_child(const Job& job, SessionChoice choice) {
  try {
    const System system = System::here();
    pin(choose_cores(System(""), job.threads));
    nlohmann::json packages;
    choice.keep_engines_of(job.artifact);  // the library judges the passport before it is read here
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
  } catch (const resemote::Failure& failure) {
    const bool refused = failure.status() == RESEMOTE_STATUS_BACKEND_UNAVAILABLE ||
                         failure.status() == RESEMOTE_STATUS_DEVICE_UNAVAILABLE;
    return {{"failure", failure.what()}, {"refused", refused}};
  } catch (const std::bad_alloc&) {
    return {{"failure", "not enough memory"}};
  } catch (const std::exception& error) {
    return {{"failure", error.what()}};
  }
}

[[noreturn]] void run_child(const Job& job, const SessionChoice& choice, int pipe, pid_t parent) {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_ERROR);  // it died before the kernel was asked
  const std::string text = found_in_child(job, choice).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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

Measured measure_row(const Job& job, const SessionChoice& choice, const StopRequest& stop) {
  int ends[2];
  if (pipe(ends) != 0) throw ToolError("no process can be started: " + system_message(errno));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw ToolError("no process can be started: " + system_message(errno));
  if (child == 0) {
    close(ends[0]);
    run_child(job, choice, ends[1], parent);
  }
  close(ends[1]);
  std::string text;
  const bool whole = read_to_end(ends[0], text, job.timeout_s, stop);
  close(ends[0]);
  if (!whole) kill(child, SIGKILL);
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  stop.check();
  Measured measured;
  if (!whole) {
    measured.failure = "it took longer than " + std::to_string(static_cast<long>(job.timeout_s)) +
                       " s; allow more with --timeout";
    return measured;
  }
  const nlohmann::json found = nlohmann::json::parse(text, nullptr, false);
  if (!found.is_object()) {
    measured.failure = end_of(state);
    return measured;
  }
  measured.row = found.value("row", nlohmann::json());
  measured.packages = found.value("packages", nlohmann::json::object());
  measured.failure = found.value("failure", "");
  measured.refused = found.value("refused", false);
  return measured;
}

}  // namespace resemote_tools
