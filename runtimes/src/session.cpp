#include "session.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

#include "error.h"

namespace resemote_internal {
namespace {

constexpr int kThreadsPerCore = 4;
constexpr int kMostWorkspaceMib = 65536;

// Cores that this process may run on.
int allowed_cores() {
#if defined(__linux__)
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

[[noreturn]] void refuse(const std::string& message) { throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, message); }

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += (text.empty() ? "" : ", ") + (dim < 0 ? "batch" : std::to_string(dim));
  return "(" + text + ")";
}

// The formats of the artifact's files that a backend could run.
std::string formats_of(const Artifact& artifact) {
  std::vector<std::string> formats;
  for (const FileEntry& entry : artifact.passport().files) {
    const bool runs = entry.role == "model" || entry.role == "source";
    if (runs && std::find(formats.begin(), formats.end(), entry.format) == formats.end()) {
      formats.push_back(entry.format);
    }
  }
  return joined(formats);
}

const resemote_tensor& tensor_named(const resemote_tensor* tensors, std::size_t count, const TensorSpec& spec) {
  for (std::size_t i = 0; i < count; ++i) {
    if (tensors[i].name != nullptr && spec.name == tensors[i].name) return tensors[i];
  }
  refuse("there is no tensor named '" + spec.name + "' among those passed");
}

TensorView view_of(const TensorSpec& spec, const resemote_tensor& tensor) {
  if (tensor.data == nullptr) refuse("tensor '" + spec.name + "' has no data");
  if (tensor.dtype != spec.dtype) {
    refuse("tensor '" + spec.name + "' must be of dtype " + std::to_string(spec.dtype) + ", got " +
           std::to_string(tensor.dtype) + "; convert it before the call");
  }
  bool fits = tensor.rank == static_cast<std::int32_t>(spec.dims.size()) && tensor.dims[0] >= 0 &&
              (spec.dims[0] < 0 || tensor.dims[0] == spec.dims[0]);
  for (std::size_t i = 1; fits && i < spec.dims.size(); ++i) fits = tensor.dims[i] == spec.dims[i];
  if (!fits) refuse("tensor '" + spec.name + "' must have shape " + shape_text(spec.dims));
  const TensorView view{&spec, tensor.data, tensor.dims[0]};
  // The product would overflow for a batch that no memory could hold.
  if (view.batch > (std::int64_t{1} << 31) || tensor.size_bytes != view.bytes()) {
    refuse("tensor '" + spec.name + "' has " + std::to_string(tensor.size_bytes) + " bytes, a batch of " +
           std::to_string(view.batch) + " needs another size");
  }
  return view;
}

void view_all(const std::vector<TensorSpec>& specs, const resemote_tensor* tensors, std::size_t count,
              const char* what, std::vector<TensorView>& views) {
  if (count != specs.size() || tensors == nullptr) {
    refuse(std::to_string(specs.size()) + " " + what + " are needed, got " + std::to_string(tensors ? count : 0));
  }
  views.clear();
  for (const TensorSpec& spec : specs) views.push_back(view_of(spec, tensor_named(tensors, count, spec)));
}

// What a backend would run of an artifact, and where.
Choice candidate(const Artifact& artifact, const Backend& backend, const SessionOptions& options) {
  const std::string name = backend.name();
  Choice choice;
  choice.backend = &backend;
  choice.file = artifact.find(backend.formats());
  if (choice.file == nullptr) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                artifact.folder() + ": backend " + name + " loads " + joined(backend.formats()) +
                    ", this artifact holds " + formats_of(artifact) +
                    "; choose another backend, or export for a target it can load");
  }
  const BackendInfo found = backend.probe(options.library);
  if (!found.available) throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE, "backend " + name + ": " + found.reason);
  choice.device = options.device == "auto" ? found.devices.front() : options.device;
  // What was made for a GPU may take a hundred times as long on a CPU, so nobody lands there by accident.
  if (artifact.passport().target == "tensorrt" && choice.device == "cpu" && options.backend == "auto" &&
      options.device == "auto") {
    throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE,
                "backend " + name + ": only has a CPU for this artifact, which is for TensorRT; to run it there anyway, "
                "ask for the device cpu");
  }
  if (std::find(found.devices.begin(), found.devices.end(), choice.device) == found.devices.end()) {
    throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE,
                "backend " + name + ": device '" + choice.device + "' was not found; found " + joined(found.devices) +
                    "; ask for one of these (nothing is used in its place)");
  }
  return choice;
}

}  // namespace

Choice choose_backend(const Artifact& artifact, const SessionOptions& options,
                      const std::function<void(const EngineRequest&, const Backend&)>& take) {
  // Engines start as many threads as they are told to, each with memory of its own: thousands cannot even be ended.
  const int most = kThreadsPerCore * allowed_cores();
  if (options.threads < 0 || options.threads > most) {
    refuse("threads must be from 0 to " + std::to_string(most) + ", " + std::to_string(kThreadsPerCore) +
           " for each core of this process; got " + std::to_string(options.threads));
  }
  if (options.workspace_mib < 0 || options.workspace_mib > kMostWorkspaceMib) {
    refuse("workspace_mib must be from 0 to " + std::to_string(kMostWorkspaceMib) + ", got " +
           std::to_string(options.workspace_mib));
  }
  const auto ask = [&](const Backend& backend) {
    Choice choice = candidate(artifact, backend, options);
    const EngineRequest request{artifact,      *choice.file,    choice.device,    options.library,
                                options.cache, options.threads, options.observer, options.workspace_mib};
    backend.check(request);
    if (take) take(request, backend);
    return choice;
  };
  if (options.backend != "auto") return ask(find_backend(options.backend));
  std::string reasons;
  resemote_status closest = RESEMOTE_STATUS_ARTIFACT_MISMATCH;  // the highest: of the backend that came closest
  for (const Backend* backend : backends()) {
    try {
      Choice choice = ask(*backend);
      choice.skipped = reasons;
      return choice;
    } catch (const Error& error) {
      // The next backend is tried only if this one does not work here. A broken file is an error for all of them.
      const bool next = error.status() == RESEMOTE_STATUS_BACKEND_UNAVAILABLE ||
                        error.status() == RESEMOTE_STATUS_DEVICE_UNAVAILABLE ||
                        error.status() == RESEMOTE_STATUS_ARTIFACT_MISMATCH;
      if (!next) throw;
      closest = std::max(closest, error.status());
      reasons += (reasons.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  throw Error(closest, artifact.folder() + ": no backend can run this artifact here; " + reasons);
}

Session::Session(const std::string& path, const SessionOptions& options) : artifact_(path) {
  choice_ = choose_backend(artifact_, options, [this](const EngineRequest& request, const Backend& backend) {
    engine_ = backend.create(request);
    engine_origin_ = engine_->origin();
  });
}

void Session::check_batch(std::int64_t batch) const {
  const Passport& passport = artifact_.passport();
  const bool above = passport.batch_max != 0 && batch > passport.batch_max;
  if (batch < passport.batch_min || above) {
    refuse("batch size " + std::to_string(batch) + " is outside the artifact's range " +
           std::to_string(passport.batch_min) + ".." +
           (passport.batch_max == 0 ? "any" : std::to_string(passport.batch_max)) +
           "; split the batch, or export with another range in the recipe");
  }
}

void Session::run(const resemote_tensor* inputs, std::size_t input_count, const resemote_tensor* outputs,
                  std::size_t output_count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  view_all(passport().inputs, inputs, input_count, "inputs", inputs_);
  view_all(passport().outputs, outputs, output_count, "outputs", outputs_);
  const std::int64_t batch = inputs_.front().batch;
  check_batch(batch);
  for (const TensorView& output : outputs_) {
    if (output.batch != batch) {
      refuse("output '" + output.spec->name + "' is for a batch of " + std::to_string(output.batch) +
             ", the inputs are a batch of " + std::to_string(batch));
    }
  }
  engine_->run(inputs_, outputs_);
}

void Session::run_picture(const void* feed, float* outputs) {
  const std::lock_guard<std::mutex> lock(mutex_);
  inputs_.clear();
  outputs_.clear();
  inputs_.push_back({&passport().inputs.front(), const_cast<void*>(feed), 1});
  for (const TensorSpec& spec : passport().outputs) {
    outputs_.push_back({&spec, outputs, 1});
    outputs += spec.bytes(1) / sizeof(float);
  }
  engine_->run(inputs_, outputs_);
}

void Session::run_batch(const void* feed, std::int64_t batch, float* output) {
  const std::lock_guard<std::mutex> lock(mutex_);
  check_batch(batch);
  inputs_.clear();
  outputs_.clear();
  inputs_.push_back({&passport().inputs.front(), const_cast<void*>(feed), batch});
  outputs_.push_back({&passport().outputs.front(), output, batch});
  engine_->run(inputs_, outputs_);
}

void softmax(const float* logits, std::size_t classes, float* probabilities) {
  const double highest = *std::max_element(logits, logits + classes);
  double sum = 0.0;
  for (std::size_t i = 0; i < classes; ++i) sum += std::exp(logits[i] - highest);
  // Each logit is read before its place is written, so both rows may be the same.
  for (std::size_t i = 0; i < classes; ++i) {
    probabilities[i] = static_cast<float>(std::exp(logits[i] - highest) / sum);
  }
}

}  // namespace resemote_internal
