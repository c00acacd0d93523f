#include "engine_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include <nlohmann/json.hpp>

#include "error.h"
#include "file.h"
#include "sha256.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kSchema = 3;
constexpr std::size_t kOnnxDigits = 12;  // hex digits of the ONNX's digest in a file name, for people
constexpr std::size_t kKeyDigits = 16;   // hex digits of the key's digest, which keep file names apart
constexpr std::size_t kMostDescription = 64 << 10;
constexpr std::chrono::milliseconds kBetweenLooks(50);
constexpr int kLooksPerQuestion = 5;

json as_json(const EngineKey& key) {
  return json{
      {"onnx_sha256", key.onnx_sha256},
      {"tensorrt_version", key.tensorrt_version},
      {"cuda_version", key.cuda_version},
      {"compute_capability", key.compute_capability},
      {"device_name", key.device_name},
      {"flags", key.flags},
  };
}

// Makes a version or digest safe for a file name.
std::string file_name_part(const std::string& text) {
  std::string part = text;
  for (char& letter : part) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.') letter = '_';
  }
  return part;
}

// Says why a description does not match this key and plan; empty if it does. Throws what the JSON library throws.
std::string refuse(const json& description, const EngineKey& key, const Plan& plan) {
  if (description.at("schema").get<int>() != kSchema) return "it was written by another version of this library";
  if (description.at("key") != as_json(key)) return "it was built for something else";
  if (description.at("plan_size_bytes").get<std::uint64_t>() != plan.size) return "the plan has another size";
  // This notices a plan that was damaged, not one that was forged: who may write to the folder can write a digest too.
  if (description.at("plan_sha256").get<std::string>() != sha256(plan.data, plan.size)) return "the plan is damaged";
  return "";
}

double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

std::string whole_seconds(double seconds) {
  return seconds < 1.0 ? "less than 1 s" : std::to_string(static_cast<long>(seconds + 0.5)) + " s";
}

[[noreturn]] void cancel(const char* what) {
  throw Error(RESEMOTE_STATUS_CANCELLED, std::string(what) + " was cancelled by the progress function");
}

// The right to build an engine. It ends with the process, however that ends.
class BuildLock {
 public:
  // Throws Error with RESEMOTE_STATUS_BACKEND_FAILED if there is no lock to be had, and CANCELLED.
  BuildLock(const std::string& path, const Observer& observer)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_ < 0) fail(path);
    const Clock::time_point began = Clock::now();
    for (int looks = 0; ::flock(file_, LOCK_EX | LOCK_NB) != 0; ++looks) {
      if (errno != EWOULDBLOCK && errno != EINTR) fail(path);
      if (looks == 0) observer.info("another process is building this engine; waiting for it");
      if (looks % kLooksPerQuestion == 0 && !observer.goes_on("waiting", seconds_since(began), -1.0)) {
        ::close(file_);
        cancel("waiting for another process's engine");
      }
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }
  ~BuildLock() { ::close(file_); }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;

 private:
  [[noreturn]] void fail(const std::string& path) {
    const std::string reason = std::strerror(errno);
    if (file_ >= 0) ::close(file_);
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, path + ": cannot be locked (" + reason + ")");
  }

  const int file_;
};

}  // namespace

std::string cache_folder(const CacheChoice& choice) {
  if (choice.given) return choice.folder;
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/resemote";  // a relative one is to be ignored
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/resemote" : "";
}

std::string EngineCache::obtain(const EngineKey& key, const std::function<std::string(const Plan&)>& load,
                                const std::function<Plan(Progress&)>& build, const Observer& observer) const {
  // First without the lock, which a folder that is read-only would not give.
  if (load_found(key, load)) return "from the cache";
  std::unique_ptr<BuildLock> lock;
  std::string not_kept = folder_.empty() ? "there is no folder to keep engines in" : "";
  if (not_kept.empty()) {
    try {
      create_folder(folder_);
      lock.reset(new BuildLock(path(key) + ".lock", observer));
    } catch (const Error& error) {
      if (error.status() == RESEMOTE_STATUS_CANCELLED) throw;
      not_kept = error.what();
    }
  }
  if (lock && load_found(key, load)) return "from the cache";  // somebody else built it in the meantime
  observer.info("building the engine, which may take minutes");
  const Clock::time_point began = Clock::now();
  Progress progress;
  Plan plan;
  try {
    run_observed(observer, "building", progress, [&] { plan = build(progress); });
  } catch (const Error&) {
    if (progress.cancelled) cancel("building the engine");
    throw;
  }
  const std::string built = "built in " + whole_seconds(seconds_since(began));
  // An engine is kept only after it has been loaded; a build that could not be stopped is not thrown away.
  const std::string refused = load(plan);
  if (!refused.empty()) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "TensorRT refuses the engine that it has just built: " + refused);
  }
  if (not_kept.empty()) {
    try {
      remove_leftovers(key);
      keep(key, plan);
    } catch (const Error& error) {
      not_kept = error.what();
    }
  }
  if (progress.cancelled) cancel("building the engine");
  if (not_kept.empty()) {
    observer.info("the engine was " + built + ", and is kept in " + path(key));
    return built;
  }
  observer.warn("the engine was " + built + ", and will be built again at the next start: " + not_kept);
  return built + "; not kept: " + not_kept;
}

bool EngineCache::load_found(const EngineKey& key, const std::function<std::string(const Plan&)>& load) const {
  const CachedPlan cached = find(key);
  return cached.found && load(cached.plan).empty();
}

CachedPlan EngineCache::find(const EngineKey& key) const {
  CachedPlan cached;
  if (folder_.empty()) {
    cached.reason = "no folder to cache engines in was given";
    return cached;
  }
  try {
    const auto contents = std::make_shared<const std::string>(read_file(path(key)));
    const std::size_t end = contents->substr(0, kMostDescription).find('\n');
    if (end == std::string::npos) {
      cached.reason = "it has no description";
    } else {
      cached.plan = {contents->data() + end + 1, contents->size() - end - 1, contents};
      cached.reason = refuse(json::parse(contents->substr(0, end)), key, cached.plan);
    }
  } catch (const Error& error) {
    cached.reason = error.what();
    return cached;
  } catch (const std::exception& error) {  // exceptions of the JSON library in any of its versions
    cached.reason = std::string("its description cannot be read: ") + error.what();
  }
  cached.found = cached.reason.empty();
  if (!cached.found) {
    cached.reason = path(key) + ": " + cached.reason;
    cached.plan = Plan();
  }
  return cached;
}

void EngineCache::keep(const EngineKey& key, const Plan& plan) const {
  if (folder_.empty()) return;
  const json description = {
      {"schema", kSchema},
      {"key", as_json(key)},
      {"plan_size_bytes", plan.size},
      {"plan_sha256", sha256(plan.data, plan.size)},
  };
  write_whole_file(path(key), Contents{description.dump() + "\n", plan.data, plan.size});
}

// Removes the files of processes that were killed while they wrote this entry. Called under the entry's lock, so nobody is writing it.
void EngineCache::remove_leftovers(const EngineKey& key) const {
  const std::string beginning = path(key).substr(folder_.size() + 1) + ".partial-";
  DIR* const stream = ::opendir(folder_.c_str());
  if (stream == nullptr) return;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name.compare(0, beginning.size(), beginning) == 0) ::unlink((folder_ + "/" + name).c_str());
  }
  ::closedir(stream);
}

std::string EngineCache::path(const EngineKey& key) const {
  const std::string whole = as_json(key).dump();
  return folder_ + "/" + file_name_part(key.onnx_sha256.substr(0, kOnnxDigits)) + "-trt" +
         file_name_part(key.tensorrt_version) + "-sm" + file_name_part(key.compute_capability) + "-" +
         sha256(whole.data(), whole.size()).substr(0, kKeyDigits) + ".plan";
}

}  // namespace tensorrt
}  // namespace resemote_internal
