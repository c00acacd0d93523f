#include "onnxruntime_api.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include "error.h"

namespace resemote_internal {
namespace {

// Result of the one exported function.
struct ApiBase {
  void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};

// Places in the table. The table only grows at its end.
enum Place : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kDisableTelemetryEvents = 6,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetSessionLogSeverityLevel = 22,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
  kAddSessionConfigEntry = 130,
};

// From 1.32 on, loading the library starts a thread that asks for its collector's address and writes to the user's folders;
// only a variable that is set before prevents it. One that the program has set stays as it is.
std::vector<std::string> without_telemetry(std::vector<std::string> names) {
  ::setenv("ORT_DISABLE_TELEMETRY", "1", 0);
  return names;
}

template <typename Function>
void take(Function*& function, void* const* table, Place place) {
  function = reinterpret_cast<Function*>(table[place]);
}

}  // namespace

OnnxRuntimeApi::OnnxRuntimeApi(const std::string& place)
    : library_(without_telemetry({"libonnxruntime.so", "libonnxruntime.so.1"}), place, "RESEMOTE_ONNXRUNTIME_LIBRARY",
               "install ONNX Runtime 1.5 or later (its release archives hold the library; so do its wheels since 1.20, in "
               "the folder onnxruntime/capi)") {
  const ApiBase* (*get_api_base)() = nullptr;
  library_.load(get_api_base, "OrtGetApiBase");
  const ApiBase* base = get_api_base();
  version_ = base->get_version_string();
  void* const* table = base->get_api(kTableVersion);
  if (table == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE, library_.path() + ": ONNX Runtime " + version_ +
                                                         " does not serve version " + std::to_string(kTableVersion) +
                                                         " of its C API; install 1.5 or later");
  }
  take(get_error_message, table, kGetErrorMessage);
  take(create_env, table, kCreateEnv);
  take(disable_telemetry_events, table, kDisableTelemetryEvents);
  take(create_session, table, kCreateSession);
  take(run, table, kRun);
  take(create_session_options, table, kCreateSessionOptions);
  take(set_session_log_severity_level, table, kSetSessionLogSeverityLevel);
  take(set_intra_op_num_threads, table, kSetIntraOpNumThreads);
  take(set_inter_op_num_threads, table, kSetInterOpNumThreads);
  take(create_tensor_with_data, table, kCreateTensorWithData);
  take(create_cpu_memory_info, table, kCreateCpuMemoryInfo);
  take(release_env, table, kReleaseEnv);
  take(release_status, table, kReleaseStatus);
  take(release_memory_info, table, kReleaseMemoryInfo);
  take(release_session, table, kReleaseSession);
  take(release_value, table, kReleaseValue);
  take(release_session_options, table, kReleaseSessionOptions);
  take(add_session_config_entry, table, kAddSessionConfigEntry);
}

void OnnxRuntimeApi::check(OrtStatusObject* status, const std::string& what, resemote_status failure) const {
  if (status == nullptr) return;
  const std::string text = get_error_message(status);
  release_status(status);
  throw Error(failure, what + ": ONNX Runtime: " + text);
}

const OnnxRuntimeApi& onnxruntime_api(const std::string& place) {
  static std::mutex mutex;
  // Never destroyed, as the libraries are never unloaded.
  static auto* const found = new std::map<std::string, std::unique_ptr<OnnxRuntimeApi>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<OnnxRuntimeApi>& api = (*found)[place];
  if (!api) api.reset(new OnnxRuntimeApi(place));
  return *api;
}

}  // namespace resemote_internal
