#include "openvino_api.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "error.h"

namespace resemote_internal {

OpenVINOApi::OpenVINOApi(const std::string& place)
    : library({"libopenvino_c.so"}, place, "RESEMOTE_OPENVINO_LIBRARY",
              "install OpenVINO (with pip: the folder openvino/libs of the package holds it)") {
  library.load(get_openvino_version, "ov_get_openvino_version");
  library.load(version_free, "ov_version_free");
  library.load(get_last_err_msg, "ov_get_last_err_msg");
  library.load(free, "ov_free");
  library.load(core_create, "ov_core_create");
  library.load(core_free, "ov_core_free");
  library.load(core_get_available_devices, "ov_core_get_available_devices");
  library.load(available_devices_free, "ov_available_devices_free");
  library.load(core_set_property, "ov_core_set_property");
  library.load(core_read_model, "ov_core_read_model");
  library.load(model_free, "ov_model_free");
  library.load(core_compile_model, "ov_core_compile_model");
  library.load(compiled_model_free, "ov_compiled_model_free");
  library.load(compiled_model_create_infer_request, "ov_compiled_model_create_infer_request");
  library.load(infer_request_free, "ov_infer_request_free");
  library.load(compiled_model_inputs_size, "ov_compiled_model_inputs_size");
  library.load(compiled_model_outputs_size, "ov_compiled_model_outputs_size");
  library.load(tensor_create_from_host_ptr, "ov_tensor_create_from_host_ptr");
  library.load(tensor_free, "ov_tensor_free");
  library.load(tensor_data, "ov_tensor_data");
  library.load(tensor_get_byte_size, "ov_tensor_get_byte_size");
  library.load(infer_request_set_tensor, "ov_infer_request_set_tensor");
  library.load(infer_request_get_tensor, "ov_infer_request_get_tensor");
  library.load(infer_request_infer, "ov_infer_request_infer");
}

void OpenVINOApi::check(ov_status_e status, const std::string& what, resemote_status failure) const {
  if (status == ov_status_e::OK) return;
  const char* message = get_last_err_msg();
  std::string text = message != nullptr && *message != '\0' ? message : "status " + std::to_string(status);
  if (message != nullptr) free(message);
  // Its messages have several lines; ours have one.
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.resize(text.find_last_not_of(' ') + 1);
  throw Error(failure, what + ": OpenVINO: " + text);
}

const OpenVINOApi& openvino_api(const std::string& place) {
  static std::mutex mutex;
  // Never destroyed, as the libraries are never unloaded.
  static auto* const found = new std::map<std::string, std::unique_ptr<OpenVINOApi>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<OpenVINOApi>& api = (*found)[place];
  if (!api) api.reset(new OpenVINOApi(place));
  return *api;
}

}  // namespace resemote_internal
