// OnnxRuntimeApi: the functions of ONNX Runtime's C API that this library uses, found at run time.
//
// No package registry has its headers, and those of a system install may belong to another version than the library.
// The API is a table of function pointers that only grows at its end, so a function is identified by its place. The
// places and signatures below are those of the published table, and all belong to its version 5 (ONNX Runtime 1.5).
// GetApi says whether a library still supports that version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "resemote/runtime.h"
#include "shared_library.h"

namespace resemote_internal {

// Objects of ONNX Runtime, opaque on purpose.
struct OrtEnvObject;
struct OrtStatusObject;
struct OrtSessionObject;
struct OrtSessionOptionsObject;
struct OrtMemoryInfoObject;
struct OrtValueObject;

class OnnxRuntimeApi {
 public:
  // Version of the table that the library is asked for.
  static constexpr std::uint32_t kTableVersion = 5;

  explicit OnnxRuntimeApi(const std::string& library);

  // Throws Error with the given status if a call failed, and frees ONNX Runtime's status.
  void check(OrtStatusObject* status, const std::string& what,
             resemote_status failure = RESEMOTE_STATUS_BACKEND_FAILED) const;

  std::string version() const { return version_; }

  // Functions with the names and meanings of ONNX Runtime. Those with a status return null, or a status to be freed.
  const char* (*get_error_message)(const OrtStatusObject*);
  OrtStatusObject* (*create_env)(int log_level, const char* log_id, OrtEnvObject**);
  OrtStatusObject* (*disable_telemetry_events)(const OrtEnvObject*);
  OrtStatusObject* (*create_session)(const OrtEnvObject*, const char* path, const OrtSessionOptionsObject*,
                                     OrtSessionObject**);
  OrtStatusObject* (*run)(OrtSessionObject*, const void* run_options, const char* const* input_names,
                          const OrtValueObject* const* inputs, std::size_t input_count, const char* const* output_names,
                          std::size_t output_count, OrtValueObject** outputs);
  OrtStatusObject* (*create_session_options)(OrtSessionOptionsObject**);
  OrtStatusObject* (*set_session_log_severity_level)(OrtSessionOptionsObject*, int level);
  OrtStatusObject* (*set_intra_op_num_threads)(OrtSessionOptionsObject*, int count);
  OrtStatusObject* (*set_inter_op_num_threads)(OrtSessionOptionsObject*, int count);
  OrtStatusObject* (*create_tensor_with_data)(const OrtMemoryInfoObject*, void* data, std::size_t bytes,
                                              const std::int64_t* shape, std::size_t rank, int element_type,
                                              OrtValueObject**);
  OrtStatusObject* (*create_cpu_memory_info)(int allocator_type, int memory_type, OrtMemoryInfoObject**);
  void (*release_env)(OrtEnvObject*);
  void (*release_status)(OrtStatusObject*);
  void (*release_memory_info)(OrtMemoryInfoObject*);
  void (*release_session)(OrtSessionObject*);
  void (*release_value)(OrtValueObject*);
  void (*release_session_options)(OrtSessionOptionsObject*);
  OrtStatusObject* (*add_session_config_entry)(OrtSessionOptionsObject*, const char* key, const char* value);

 private:
  SharedLibrary library_;
  std::string version_;
};

// Opened once for each path. Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE.
const OnnxRuntimeApi& onnxruntime_api(const std::string& library);

}  // namespace resemote_internal
