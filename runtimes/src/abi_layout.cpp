// Pins the layout of every public struct. A change here is a change of RESEMOTE_ABI_VERSION.
#include "resemote/runtime.h"

// The sizes are for pointers of eight bytes. Elsewhere, the members follow the rules of the platform.
static_assert(sizeof(void*) != 8 || sizeof(resemote_backend_info) == 1360, "layout of resemote_backend_info");
static_assert(sizeof(void*) != 8 || sizeof(resemote_session_options) == 80, "layout of resemote_session_options");
static_assert(sizeof(void*) != 8 || sizeof(resemote_progress) == 32, "layout of resemote_progress");
static_assert(sizeof(void*) != 8 || sizeof(resemote_backend_choice) == 1416, "layout of resemote_backend_choice");
static_assert(sizeof(void*) != 8 || sizeof(resemote_session_info) == 88, "layout of resemote_session_info");
static_assert(sizeof(void*) != 8 || sizeof(resemote_detector_info) == 56, "layout of resemote_detector_info");
static_assert(sizeof(void*) != 8 || sizeof(resemote_tensor_spec) == 88, "layout of resemote_tensor_spec");
static_assert(sizeof(void*) != 8 || sizeof(resemote_tensor) == 96, "layout of resemote_tensor");
static_assert(sizeof(void*) != 8 || sizeof(resemote_self_test_result) == 40, "layout of resemote_self_test_result");
static_assert(sizeof(void*) != 8 || sizeof(resemote_frame) == 72, "layout of resemote_frame");
static_assert(sizeof(resemote_box) == 16, "layout of resemote_box");
static_assert(sizeof(resemote_decision) == 8, "layout of resemote_decision");
static_assert(sizeof(void*) != 8 || sizeof(resemote_classifier_options) == 24,
              "layout of resemote_classifier_options");
static_assert(sizeof(void*) != 8 || sizeof(resemote_result) == 56, "layout of resemote_result");
