// The C functions of status, backends and sessions.
#include <algorithm>
#include <cstring>

#include "abi.h"
#include "backend.h"
#include "self_test.h"

namespace resemote_internal {

HandleTable<Session>& sessions() {
  static HandleTable<Session>* const table = made_table<Session, sessions>(1, "session");
  return *table;
}

SessionOptions session_options(const resemote_session_options* given) {
  SessionOptions options;
  if (given == nullptr) return options;
  const resemote_session_options whole =
      taken(given, "resemote_session_options", resemote_session_options RESEMOTE_SESSION_OPTIONS_INIT);
  const auto text = [](const char* value, const std::string& otherwise) {
    return value == nullptr ? otherwise : std::string(value);
  };
  options.backend = text(whole.backend, options.backend);
  options.device = text(whole.device, options.device);
  options.library = text(whole.library, "");
  options.cache = {whole.cache_dir != nullptr, text(whole.cache_dir, "")};
  options.threads = whole.threads;
  options.observer = Observer(whole.log, whole.progress, whole.user_data);
  options.workspace_mib = whole.workspace_mib;
  return options;
}

namespace {

struct StatusName {
  resemote_status status;
  const char* name;
};

constexpr StatusName kStatusNames[] = {
    {RESEMOTE_STATUS_OK, "ok"},
    {RESEMOTE_STATUS_INVALID_ARGUMENT, "invalid argument"},
    {RESEMOTE_STATUS_CLOSED, "closed"},
    {RESEMOTE_STATUS_NOT_READY, "not ready"},
    {RESEMOTE_STATUS_CANCELLED, "cancelled"},
    {RESEMOTE_STATUS_ARTIFACT_INVALID, "artifact invalid"},
    {RESEMOTE_STATUS_PASSPORT_VERSION, "passport version"},
    {RESEMOTE_STATUS_ARTIFACT_MISMATCH, "artifact mismatch"},
    {RESEMOTE_STATUS_SELF_TEST_FAILED, "self-test failed"},
    {RESEMOTE_STATUS_OUT_OF_MEMORY, "out of memory"},
    {RESEMOTE_STATUS_BACKEND_UNAVAILABLE, "backend unavailable"},
    {RESEMOTE_STATUS_DEVICE_UNAVAILABLE, "device unavailable"},
    {RESEMOTE_STATUS_BACKEND_FAILED, "backend failed"},
    {RESEMOTE_STATUS_INTERNAL, "internal"},
};

template <std::size_t size>
void copy_text(const std::string& text, char (&to)[size]) {
  const std::size_t length = std::min(text.size(), size - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

void fill_spec(const std::vector<TensorSpec>& specs, std::int32_t index, resemote_tensor_spec* to) {
  Filled<resemote_tensor_spec> spec(to, "resemote_tensor_spec");
  if (index < 0 || static_cast<std::size_t>(index) >= specs.size()) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "there is no tensor " + std::to_string(index) + " of " +
                                                      std::to_string(specs.size()));
  }
  const TensorSpec& found = specs[static_cast<std::size_t>(index)];
  spec->name = found.name.c_str();
  spec->dtype = found.dtype;
  spec->rank = static_cast<std::int32_t>(found.dims.size());
  std::copy(found.dims.begin(), found.dims.end(), spec->dims);
  spec.write();
}

}  // namespace
}  // namespace resemote_internal

using namespace resemote_internal;

uint32_t resemote_abi_version(void) { return RESEMOTE_ABI_VERSION; }

const char* resemote_version(void) { return RESEMOTE_VERSION; }

const char* resemote_last_error(void) { return last_failure(); }

const char* resemote_status_name(resemote_status status) {
  for (const StatusName& known : kStatusNames) {
    if (known.status == status) return known.name;
  }
  return "unknown status";
}

size_t resemote_backend_count(void) { return backends().size(); }

const char* resemote_backend_name(size_t index) {
  return index < backends().size() ? backends()[index]->name() : nullptr;
}

resemote_status resemote_backend_probe(const char* name, const char* library, resemote_backend_info* info) {
  return guarded([&] {
    Filled<resemote_backend_info> to(info, "resemote_backend_info");
    const BackendInfo found =
        find_backend(&needed(name, "the backend's name")).probe(library == nullptr ? "" : library);
    std::string devices;
    for (const std::string& device : found.devices) devices += (devices.empty() ? "" : " ") + device;
    to->available = found.available ? 1 : 0;
    copy_text(found.version, to->version);
    copy_text(devices, to->devices);
    copy_text(found.reason, to->reason);
    to.write();
  });
}

resemote_status resemote_session_options_init(resemote_session_options* options) {
  return guarded([&] {
    initialize(options, "resemote_session_options", resemote_session_options RESEMOTE_SESSION_OPTIONS_INIT,
               kFirstSessionOptions);
  });
}

resemote_status resemote_backend_choose(const char* artifact, const resemote_session_options* options,
                                        resemote_backend_choice* choice) {
  return guarded([&] {
    Filled<resemote_backend_choice> to(choice, "resemote_backend_choice");
    const Artifact described = Artifact::described_in(&needed(artifact, "the artifact's path"));
    const Choice found = choose_backend(described, session_options(options));
    copy_text(found.backend->name(), to->backend);
    copy_text(found.device, to->device);
    copy_text(found.file->path, to->file);
    copy_text(found.skipped, to->skipped);
    to.write();
  });
}

resemote_status resemote_session_create(const char* artifact, const resemote_session_options* options,
                                        resemote_session** session) {
  return guarded([&] {
    needed(session, "where the session goes") = nullptr;
    const char* const path = &needed(artifact, "the artifact's path");
    std::shared_ptr<Session> opened = std::make_shared<Session>(path, session_options(options));
    *session = static_cast<resemote_session*>(sessions().insert(std::move(opened)));
  });
}

resemote_status resemote_session_destroy(resemote_session* session) {
  return guarded([&] {
    if (session == nullptr) return;
    if (sessions().find(session)->owned_by_classifier()) {
      throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "this session belongs to a classifier; destroy the classifier");
    }
    sessions().remove(session);
  });
}

resemote_status resemote_session_get_info(resemote_session* session, resemote_session_info* info) {
  return guarded([&] {
    Filled<resemote_session_info> to(info, "resemote_session_info");
    const std::shared_ptr<Session> found = sessions().find(session);
    const Passport& passport = found->passport();
    to->artifact_name = passport.name.c_str();
    to->precision = passport.precision.c_str();
    to->backend = found->backend();
    to->device = found->device().c_str();
    to->file = found->file().path.c_str();
    to->label_count = static_cast<std::int32_t>(passport.labels.size());
    to->gives_probabilities = passport.gives_probabilities() ? 1 : 0;
    to->batch_min = passport.batch_min;
    to->batch_max = passport.batch_max;
    to->input_count = static_cast<std::int32_t>(passport.inputs.size());
    to->output_count = static_cast<std::int32_t>(passport.outputs.size());
    to->engine = found->engine_origin().c_str();
    to.write();
  });
}

resemote_status resemote_session_get_label(resemote_session* session, int32_t index, const char** label) {
  return guarded([&] {
    needed(label, "where the label goes") = nullptr;
    const std::shared_ptr<Session> found = sessions().find(session);
    const std::vector<std::string>& labels = found->passport().labels;
    if (index < 0 || static_cast<std::size_t>(index) >= labels.size()) {
      throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                  "there is no label " + std::to_string(index) + " of " + std::to_string(labels.size()));
    }
    *label = labels[static_cast<std::size_t>(index)].c_str();
  });
}

resemote_status resemote_session_get_detector(resemote_session* session, resemote_detector_info* info) {
  return guarded([&] {
    Filled<resemote_detector_info> to(info, "resemote_detector_info");
    const std::shared_ptr<Session> found = sessions().find(session);
    if (found->passport().kind != Kind::kDetector) {
      throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                  found->artifact().folder() + ": a classifier of faces, not a detector; pass a detector");
    }
    const DetectorSpec& spec = found->passport().detector;
    to->family = spec.family.c_str();
    to->width = spec.width;
    to->height = spec.height;
    to->framing_scale = spec.framing_scale;
    to->framing_shift = spec.framing_shift;
    to->min_score = spec.min_score;
    to->max_overlap = spec.max_overlap;
    to.write();
  });
}

resemote_status resemote_session_get_input(resemote_session* session, int32_t index, resemote_tensor_spec* spec) {
  return guarded([&] { fill_spec(sessions().find(session)->passport().inputs, index, spec); });
}

resemote_status resemote_session_get_output(resemote_session* session, int32_t index, resemote_tensor_spec* spec) {
  return guarded([&] { fill_spec(sessions().find(session)->passport().outputs, index, spec); });
}

resemote_status resemote_session_run(resemote_session* session, const resemote_tensor* inputs, size_t input_count,
                                     const resemote_tensor* outputs, size_t output_count) {
  return guarded([&] { sessions().find(session)->run(inputs, input_count, outputs, output_count); });
}

resemote_status resemote_session_self_test(resemote_session* session, resemote_self_test_result* result) {
  return guarded([&] {
    resemote_self_test_result unwanted = RESEMOTE_SELF_TEST_RESULT_INIT;
    Filled<resemote_self_test_result> to(result == nullptr ? &unwanted : result, "resemote_self_test_result");
    const std::shared_ptr<Session> found = sessions().find(session);
    const SelfTestResult outcome = self_test(*found);
    to->crops = outcome.crops;
    to->max_abs_diff = outcome.max_abs_diff;
    to->limit = outcome.limit;
    to->top1_agreement = outcome.top1_agreement;
    to.write();
    if (!outcome.passed()) {
      throw Error(RESEMOTE_STATUS_SELF_TEST_FAILED,
                  found->artifact().folder() + ": outputs differ by " + std::to_string(outcome.max_abs_diff) +
                      " from those at export, at most " + std::to_string(outcome.limit) +
                      " is allowed; export for this machine, or use another backend or device");
    }
  });
}
