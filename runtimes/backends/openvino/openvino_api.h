// OpenVINOApi: the functions of OpenVINO's C API that this library uses, found at run time.
#pragma once

#include <openvino/c/openvino.h>

#include <string>

#include "resemote/runtime.h"
#include "shared_library.h"

namespace resemote_internal {

struct OpenVINOApi {
  explicit OpenVINOApi(const std::string& library);

  // Throws Error with RESEMOTE_STATUS_BACKEND_FAILED, or the given status, if a call failed.
  void check(ov_status_e status, const std::string& what, resemote_status failure = RESEMOTE_STATUS_BACKEND_FAILED) const;

  SharedLibrary library;

  decltype(&ov_get_openvino_version) get_openvino_version;
  decltype(&ov_version_free) version_free;
  decltype(&ov_get_last_err_msg) get_last_err_msg;
  decltype(&ov_free) free;
  decltype(&ov_core_create) core_create;
  decltype(&ov_core_free) core_free;
  decltype(&ov_core_get_available_devices) core_get_available_devices;
  decltype(&ov_available_devices_free) available_devices_free;
  decltype(&ov_core_set_property) core_set_property;
  decltype(&ov_core_read_model) core_read_model;
  decltype(&ov_model_free) model_free;
  decltype(&ov_core_compile_model) core_compile_model;
  decltype(&ov_compiled_model_free) compiled_model_free;
  decltype(&ov_compiled_model_create_infer_request) compiled_model_create_infer_request;
  decltype(&ov_infer_request_free) infer_request_free;
  decltype(&ov_compiled_model_inputs_size) compiled_model_inputs_size;
  decltype(&ov_compiled_model_outputs_size) compiled_model_outputs_size;
  decltype(&ov_tensor_create_from_host_ptr) tensor_create_from_host_ptr;
  decltype(&ov_tensor_free) tensor_free;
  decltype(&ov_tensor_data) tensor_data;
  decltype(&ov_tensor_get_byte_size) tensor_get_byte_size;
  decltype(&ov_infer_request_set_tensor) infer_request_set_tensor;
  decltype(&ov_infer_request_get_tensor) infer_request_get_tensor;
  decltype(&ov_infer_request_infer) infer_request_infer;
};

// Opened once for each path. Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE.
const OpenVINOApi& openvino_api(const std::string& library);

}  // namespace resemote_internal
