// The engine cache and the checks of versions and memory: needs neither TensorRT nor a GPU. A stand-in takes the place of
// TensorRT's builder. Usage: program EMPTY_FOLDER, or as one of several processes: program race FOLDER BUILD_MS
#include <fstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "build_memory.h"
#include "check.h"
#include "engine_cache.h"
#include "engine_fit.h"
#include "error.h"
#include "file.h"

namespace {

using resemote_internal::Error;
using resemote_internal::CacheChoice;
using resemote_internal::Observer;
using resemote_internal::Passport;
using resemote_internal::Progress;
using resemote_internal::tensorrt::CachedPlan;
using resemote_internal::tensorrt::EngineCache;
using resemote_internal::tensorrt::EngineKey;
using resemote_internal::tensorrt::Plan;

const std::string kPlan("plan\0with zeros\n", 16);

EngineKey a_key() {
  return {std::string(64, 'a'), "8.2.1", "10.2", "5.3", "NVIDIA Tegra X1", {"precision=fp16", "batch_max=16"}};
}

std::string contents(const std::string& path) {
  return resemote_internal::read_file(path);
}

void overwrite(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  DIR* const listing = opendir(folder.c_str());
  CHECK(listing != nullptr);
  while (const dirent* const entry = readdir(listing)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(listing);
  return count;
}

template <typename Body>
std::string message_of(resemote_status status, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.status() == status);
    return error.what();
  }
  CHECK(false && "no error");
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_of(const Plan& plan) { return std::string(static_cast<const char*>(plan.data), plan.size); }

Plan plan_of(const std::string& bytes) {
  const auto owner = std::make_shared<const std::string>(bytes);
  return {owner->data(), owner->size(), owner};
}

void keeps_what_it_is_given(const std::string& folder) {
  resemote_internal::create_folder(folder);
  const EngineCache cache(folder);
  CHECK(!cache.find(a_key()).found);
  cache.keep(a_key(), plan_of(kPlan));
  const CachedPlan cached = cache.find(a_key());
  CHECK(cached.found && cached.reason.empty());
  CHECK(text_of(cached.plan) == kPlan);
  // One file: a line, and then the plan as it was.
  const std::string whole = contents(cache.path(a_key()));
  CHECK(whole.substr(whole.find('\n') + 1) == kPlan);
  CHECK(files_in(folder) == 1);
  struct stat found {};
  CHECK(stat(cache.path(a_key()).c_str(), &found) == 0 && (found.st_mode & 0777) == 0644);
  // A later one takes its place.
  cache.keep(a_key(), plan_of("new"));
  CHECK(text_of(cache.find(a_key()).plan) == "new");
  CHECK(files_in(folder) == 1);
}

void every_part_of_a_key_counts(const std::string& folder) {
  resemote_internal::create_folder(folder);
  const EngineCache cache(folder);
  cache.keep(a_key(), plan_of(kPlan));
  std::vector<EngineKey> others(7, a_key());
  others[0].onnx_sha256 = std::string(64, 'b');
  others[1].tensorrt_version = "8.2.2";
  others[2].cuda_version = "10.3";
  others[3].compute_capability = "7.2";
  others[4].device_name = "Xavier";
  others[5].flags[1] = "batch_max=8";
  others[6].flags.push_back("more");
  for (const EngineKey& other : others) {
    CHECK(!cache.find(other).found);
    CHECK(cache.path(other) != cache.path(a_key()));
    // Under the other's name, too: the name is not what is trusted.
    overwrite(cache.path(other), contents(cache.path(a_key())));
    const CachedPlan cached = cache.find(other);
    CHECK(!cached.found && cached.plan.size == 0);
    CHECK(holds(cached.reason, "built for something else"));
  }
}

void damage_is_noticed(const std::string& folder) {
  resemote_internal::create_folder(folder);
  const EngineCache cache(folder);
  cache.keep(a_key(), plan_of(kPlan));
  const std::string path = cache.path(a_key());
  const std::string whole = contents(path);
  // Cut off anywhere, or with any byte changed, it is refused.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    overwrite(path, whole.substr(0, at));
    CHECK(!cache.find(a_key()).found);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    overwrite(path, damaged);
    CHECK(!cache.find(a_key()).found);
  }
  overwrite(path, whole + "x");
  CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "another size"));
  for (const std::string& text : {std::string(), std::string("[]\n"), std::string("{\"schema\": 3}\n"),
                                  std::string("{\"schema\": \"3\"}\n"), std::string(200000, '[') + "\n"}) {
    overwrite(path, text);
    CHECK(!cache.find(a_key()).found && !cache.find(a_key()).reason.empty());
  }
  for (const char* other : {"\"schema\":2", "\"schema\":4"}) {
    std::string rewritten = whole;
    rewritten.replace(rewritten.find("\"schema\":3"), 10, other);
    overwrite(path, rewritten);
    CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "another version"));
  }
  overwrite(path, whole);
  CHECK(cache.find(a_key()).found);
}

// What obtaining an engine did.
struct Outcome {
  std::string origin;
  std::string loaded;
  std::vector<std::string> messages;
  int builds = 0;
};

void hear(void* user_data, resemote_log_level level, const char* message) {
  static_cast<Outcome*>(user_data)->messages.push_back(std::to_string(level) + " " + message);
}

Outcome obtain(const std::string& folder, const std::string& bytes = kPlan) {
  Outcome outcome;
  outcome.origin = EngineCache(folder).obtain(
      a_key(),
      [&](const Plan& plan) {
        outcome.loaded = text_of(plan);
        return outcome.loaded == "refused" ? std::string("the engine says no") : std::string();
      },
      [&](Progress&) {
        ++outcome.builds;
        return plan_of(bytes);
      },
      Observer(hear, nullptr, &outcome));
  return outcome;
}

void an_engine_is_built_once(const std::string& folder) {
  Outcome first = obtain(folder);  // also makes the folder
  CHECK(first.builds == 1 && first.loaded == kPlan && first.origin == "built in less than 1 s");
  CHECK(holds(first.messages.back(), "0 the engine was built") && holds(first.messages.back(), folder));
  const Outcome second = obtain(folder);
  CHECK(second.builds == 0 && second.loaded == kPlan && second.origin == "from the cache" && second.messages.empty());
  // What the engine refuses is built again, and replaced.
  EngineCache(folder).keep(a_key(), plan_of("refused"));
  CHECK(obtain(folder).builds == 1 && obtain(folder).builds == 0);
  CHECK(holds(message_of(RESEMOTE_STATUS_BACKEND_FAILED, [&] { obtain(folder + "/other", "refused"); }), "says no"));
  // What a process that was killed left behind goes with the next build.
  const std::string path = EngineCache(folder).path(a_key());
  overwrite(path + ".partial-abcdef", "half");
  overwrite(path, "damaged");
  CHECK(obtain(folder).builds == 1);
  CHECK(access((path + ".partial-abcdef").c_str(), F_OK) != 0);
}

void a_cache_that_cannot_be_used_is_a_warning(const std::string& folder) {
  resemote_internal::create_folder(folder);
  overwrite(folder + "/file", "");
  for (const std::string& bad : {folder + "/file", folder + "/file/below", std::string("/proc/nothing"), std::string()}) {
    const Outcome outcome = obtain(bad);
    CHECK(outcome.builds == 1 && outcome.loaded == kPlan);
    CHECK(holds(outcome.origin, "built in ") && holds(outcome.origin, "not kept: "));
    CHECK(holds(outcome.messages.back(), "1 the engine was built") && holds(outcome.messages.back(), bad));
  }
  // One that nobody may write to is still read.
  obtain(folder + "/full");
  CHECK(chmod((folder + "/full").c_str(), 0555) == 0);
  CHECK(obtain(folder + "/full").builds == 0);
  CHECK(chmod((folder + "/full").c_str(), 0755) == 0);
}

// The system refuses to write beyond any of the entry's bytes, as a full disk does.
void a_full_disk_loses_nothing(const std::string& folder) {
  obtain(folder);
  const std::string path = EngineCache(folder).path(a_key());
  const std::size_t size = contents(path).size();
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  for (std::size_t room = 0; room < size; ++room) {
    CHECK(unlink(path.c_str()) == 0 || room > 0);
    const rlimit tight{room, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
    const Outcome outcome = obtain(folder);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(outcome.builds == 1 && outcome.loaded == kPlan && holds(outcome.origin, "not kept: "));
    CHECK(!EngineCache(folder).find(a_key()).found);
    CHECK(files_in(folder) == 1);  // the file with the lock
  }
  CHECK(obtain(folder).builds == 1 && obtain(folder).builds == 0);
}

void a_build_can_be_cancelled(const std::string& folder) {
  const auto ask = [](void*, const resemote_progress*) { return std::int32_t{1}; };
  const auto build = [](Progress& progress) {
    for (int i = 0; i < 60000 && !progress.cancelled; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "stopped");
    return Plan();
  };
  const auto load = [](const Plan&) { return std::string(); };
  const std::string message = message_of(RESEMOTE_STATUS_CANCELLED, [&] {
    EngineCache(folder).obtain(a_key(), load, build, Observer(nullptr, ask, nullptr));
  });
  CHECK(holds(message, "cancelled"));
  // A builder that cannot be stopped: the call is cancelled, and its engine is there for the next.
  const auto stubborn = [](Progress& progress) {
    while (!progress.cancelled) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return plan_of(kPlan);
  };
  message_of(RESEMOTE_STATUS_CANCELLED, [&] {
    EngineCache(folder).obtain(a_key(), load, stubborn, Observer(nullptr, ask, nullptr));
  });
  CHECK(obtain(folder).builds == 0);
  // And so does a wait for another process, here for this one.
  const std::string path = EngineCache(folder).path(a_key());
  CHECK(unlink(path.c_str()) == 0);
  const pid_t other = fork();
  if (other == 0) {
    EngineCache(folder).obtain(a_key(), load, [](Progress&) -> Plan { for (;;) pause(); }, Observer());
    _exit(0);
  }
  const int lock = open((path + ".lock").c_str(), O_RDWR | O_CLOEXEC);
  while (flock(lock, LOCK_EX | LOCK_NB) == 0) {
    flock(lock, LOCK_UN);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  close(lock);
  CHECK(holds(message_of(RESEMOTE_STATUS_CANCELLED, [&] {
                EngineCache(folder).obtain(a_key(), load, stubborn, Observer(nullptr, ask, nullptr));
              }),
              "waiting for another process"));
  // The lock ends with the process that held it.
  CHECK(kill(other, SIGKILL) == 0 && waitpid(other, nullptr, 0) == other);
  CHECK(obtain(folder).builds == 1);
}

void the_default_folder_is_that_of_the_user() {
  using resemote_internal::tensorrt::cache_folder;
  CHECK(cache_folder({true, "/chosen"}) == "/chosen");
  CHECK(cache_folder({true, ""}).empty());
  setenv("HOME", "/home/somebody", 1);
  setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(cache_folder({}) == "/home/somebody/.cache/resemote");
  setenv("XDG_CACHE_HOME", "/caches", 1);
  CHECK(cache_folder({}) == "/caches/resemote");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  CHECK(cache_folder({}).empty());
}

void memory_is_checked_before_a_build(const std::string& proc) {
  using resemote_internal::tensorrt::check_build_memory;
  using resemote_internal::tensorrt::free_memory;
  CHECK(!free_memory(proc + "/nowhere").known);
  check_build_memory(free_memory(proc + "/nowhere"), 1 << 20, 512);  // what is not known does not stand in the way
  resemote_internal::create_folder(proc);
  overwrite(proc + "/meminfo", "MemTotal: 4059712 kB\nMemFree: 100 kB\nMemAvailable: 614400 kB\nSwapFree: 2000000 kB\n");
  overwrite(proc + "/swaps", "Filename Type Size Used Priority\n/dev/zram0 partition 1048576 0 5\n");
  const auto memory = free_memory(proc);
  CHECK(memory.known && memory.available_mib == 600 && memory.swap_mib == 0 && memory.zram_mib == 1024);
  const std::string message =
      message_of(RESEMOTE_STATUS_OUT_OF_MEMORY, [&] { check_build_memory(memory, 40 << 20, 512); });
  for (const char* part : {"at least 850 MiB", "600 MiB of memory", "nvzramconfig", "swapon", "smaller workspace_mib"}) {
    CHECK(holds(message, part));
  }
  check_build_memory(memory, 40 << 20, 64);
  overwrite(proc + "/swaps", "Filename Type Size Used Priority\n/swapfile file 4194304 1048576 -2\n");
  CHECK(free_memory(proc).swap_mib == 3072);
  check_build_memory(free_memory(proc), 40 << 20, 512);
}

// One of several processes that start at once. Prints what happened, and fails if the engine is not the right one.
int race(const std::string& folder, int build_ms) {
  const std::string plan(100000, 'p');
  std::string loaded;
  const std::string origin = EngineCache(folder).obtain(
      a_key(),
      [&](const Plan& found) {
        loaded = text_of(found);
        return std::string();
      },
      [&](Progress&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(build_ms));
        return plan_of(plan);
      },
      Observer());
  std::printf("%s\n", origin.c_str());
  return loaded == plan && !holds(origin, "not kept") ? 0 : 1;
}

void a_failed_write_leaves_what_was_there(const std::string& folder) {
  // The target is a folder, so that the rename at the end fails.
  const std::string target = folder + "/target";
  resemote_internal::create_folder(target);
  const std::string message = message_of(RESEMOTE_STATUS_BACKEND_FAILED, [&] {
    resemote_internal::write_whole_file(target, {kPlan, nullptr, 0});
  });
  CHECK(holds(message, target) && holds(message, "cannot be written"));
  CHECK(files_in(folder) == 1);
  for (const std::string& unreadable : {folder + "/absent", target}) {
    const std::string reason =
        message_of(RESEMOTE_STATUS_ARTIFACT_INVALID, [&] { resemote_internal::read_file(unreadable); });
    CHECK(holds(reason, unreadable));
  }
}

void versions_are_read_and_compared() {
  using namespace resemote_internal::tensorrt;
  CHECK(tensorrt_version_text(8201) == "8.2.1");
  CHECK(tensorrt_version_text(8601) == "8.6.1");
  CHECK(tensorrt_version_text(100300) == "10.3.0");
  CHECK(tensorrt_version_text(101303) == "10.13.3");
  CHECK(cuda_version_text(10020) == "10.2");
  CHECK(cuda_version_text(11040) == "11.4");
  CHECK(cuda_version_text(13000) == "13.0");
  CHECK(same_version("8.5.2.2", "8.5.2"));
  CHECK(same_version("10.13.3.9", "10.13.3.9.post1"));
  CHECK(!same_version("10.13.3.9", "10.13.3.8"));
  CHECK(!same_version("10.1.3", "10.13"));
  CHECK(!same_version("8.5.2", "8.5.3"));
  CHECK(!same_version("8.5.2", "unknown"));
}

void engines_of_others_are_refused_with_both_numbers() {
  using resemote_internal::tensorrt::check_engine_fits;
  Passport passport;
  const auto check = [&] { check_engine_fits(passport, "model.engine", "10.3.0.30", "8.7"); };
  CHECK(holds(message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check), "does not say"));
  passport.engine.present = true;
  passport.engine.builder = "tensorrt";
  passport.engine.version = "8.6.2";
  passport.engine.compute_capabilities = {"8.6", "8.9"};
  std::string message = message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check);
  CHECK(holds(message, "tensorrt 8.6.2") && holds(message, "tensorrt 10.3.0.30"));
  passport.engine.version = "10.3.0";
  message = message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check);
  CHECK(holds(message, "8.6, 8.9") && holds(message, "8.7"));
  passport.engine.compute_capabilities.push_back("8.7");
  check();
  passport.engine.builder = "tensorrt-rtx";
  CHECK(holds(message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check), "tensorrt-rtx 10.3.0"));
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 4 && std::string(arguments[1]) == "race") return race(arguments[2], std::atoi(arguments[3]));
  CHECK(count == 2);
  const std::string folder = arguments[1];
  keeps_what_it_is_given(folder + "/keeps");
  every_part_of_a_key_counts(folder + "/parts");
  damage_is_noticed(folder + "/damage");
  an_engine_is_built_once(folder + "/deep/er");
  a_cache_that_cannot_be_used_is_a_warning(folder + "/bad");
  a_full_disk_loses_nothing(folder + "/disk");
  a_build_can_be_cancelled(folder + "/cancel");
  the_default_folder_is_that_of_the_user();
  memory_is_checked_before_a_build(folder + "/proc");
  resemote_internal::create_folder(folder + "/failed");
  a_failed_write_leaves_what_was_there(folder + "/failed");
  versions_are_read_and_compared();
  engines_of_others_are_refused_with_both_numbers();
  return 0;
}
