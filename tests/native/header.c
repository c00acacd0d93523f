#include "resemote/runtime.h"

/* Something to compile: each macro gives every member a value. */
extern const resemote_backend_info header_backend_info;
extern const resemote_backend_choice header_backend_choice;
extern const resemote_session_options header_session_options;
extern const resemote_session_info header_session_info;
extern const resemote_detector_info header_detector_info;
extern const resemote_tensor_spec header_tensor_spec;
extern const resemote_self_test_result header_self_test_result;
extern const resemote_frame header_frame;
extern const resemote_classifier_options header_classifier_options;
extern const resemote_result header_result;
const resemote_backend_info header_backend_info = RESEMOTE_BACKEND_INFO_INIT;
const resemote_backend_choice header_backend_choice = RESEMOTE_BACKEND_CHOICE_INIT;
const resemote_session_options header_session_options = RESEMOTE_SESSION_OPTIONS_INIT;
const resemote_session_info header_session_info = RESEMOTE_SESSION_INFO_INIT;
const resemote_detector_info header_detector_info = RESEMOTE_DETECTOR_INFO_INIT;
const resemote_tensor_spec header_tensor_spec = RESEMOTE_TENSOR_SPEC_INIT;
const resemote_self_test_result header_self_test_result = RESEMOTE_SELF_TEST_RESULT_INIT;
const resemote_frame header_frame = RESEMOTE_FRAME_INIT;
const resemote_classifier_options header_classifier_options = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
const resemote_result header_result = RESEMOTE_RESULT_INIT;

uint32_t header_abi_version(void);
uint32_t header_abi_version(void) { return RESEMOTE_ABI_VERSION; }
