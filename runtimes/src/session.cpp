#include "session.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "error.h"

namespace resemote_internal {
namespace {

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
  bool fits = tensor.rank == static_cast<std::int32_t>(spec.dims.size()) && tensor.dims[0] >= 0;
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

}  // namespace

Session::Session(const std::string& path, const SessionOptions& options) : artifact_(path) {
  if (options.threads < 0) refuse("threads must be 0 or more, got " + std::to_string(options.threads));
  if (options.backend != "auto") {
    open_with(find_backend(options.backend), options);
    return;
  }
  if (!options.library.empty()) refuse("option 'library' needs option 'backend': it says whose library it is");
  std::string reasons;
  for (const Backend* backend : backends()) {
    try {
      open_with(*backend, options);
      return;
    } catch (const Error& error) {
      // The next backend is tried only if this one does not work here. A broken file is an error for all of them.
      const bool next = error.status() == RESEMOTE_STATUS_BACKEND_UNAVAILABLE ||
                        error.status() == RESEMOTE_STATUS_DEVICE_UNAVAILABLE ||
                        error.status() == RESEMOTE_STATUS_ARTIFACT_MISMATCH;
      if (!next) throw;
      reasons += std::string("; ") + error.what();
    }
  }
  throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE,
              artifact_.folder() + ": no backend can run this artifact here" + reasons);
}

void Session::open_with(const Backend& backend, const SessionOptions& options) {
  const std::string name = backend.name();
  file_ = artifact_.find(backend.formats());
  if (file_ == nullptr) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                artifact_.folder() + ": backend " + name + " loads " + joined(backend.formats()) +
                    ", this artifact holds " + formats_of(artifact_) +
                    "; choose another backend, or export for a target it can load");
  }
  const BackendInfo found = backend.probe(options.library);
  if (!found.available) throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE, "backend " + name + ": " + found.reason);
  device_ = options.device == "auto" ? found.devices.front() : options.device;
  if (std::find(found.devices.begin(), found.devices.end(), device_) == found.devices.end()) {
    throw Error(RESEMOTE_STATUS_DEVICE_UNAVAILABLE,
                "backend " + name + ": device '" + device_ + "' was not found; found " + joined(found.devices) +
                    "; ask for one of these (nothing is used in its place)");
  }
  engine_ = backend.create({artifact_, *file_, device_, options.library, options.cache_dir, options.threads});
  backend_ = name;
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
