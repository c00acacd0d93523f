#include "network.h"

#include <algorithm>
#include <cmath>

#include "errors.h"
#include "progress.h"

namespace resemote_tools {
namespace {

resemote_classifier_options classifier_options(std::size_t max_crops) {
  resemote_classifier_options options = resemote::default_classifier_options();
  options.max_faces = static_cast<std::int32_t>(max_crops);
  return options;
}

resemote_tensor tensor_of(const resemote_tensor_spec& spec) {
  resemote_tensor tensor = resemote_tensor();
  tensor.name = spec.name;
  tensor.dtype = spec.dtype;
  tensor.rank = spec.rank;
  std::copy(spec.dims, spec.dims + RESEMOTE_MAX_RANK, tensor.dims);
  return tensor;
}

std::size_t bytes_of_one(const resemote_tensor& tensor) {
  std::size_t bytes = tensor.dtype == RESEMOTE_DTYPE_FLOAT32 ? sizeof(float) : 1;
  for (std::int32_t i = 1; i < tensor.rank; ++i) bytes *= static_cast<std::size_t>(tensor.dims[i]);
  return bytes;
}

void point(resemote_tensor& tensor, void* data, std::size_t count) {
  tensor.data = data;
  tensor.dims[0] = static_cast<std::int64_t>(count);
  tensor.size_bytes = bytes_of_one(tensor) * count;
}

}  // namespace

Network::Network(const std::string& artifact, const resemote_session_options& options, std::size_t max_crops)
    : classifier_(open_with_progress<resemote::Classifier>(artifact, options, classifier_options(max_crops))),
      session_(classifier_.session()),
      info_(classifier_.info()) {
  resemote_tensor_spec spec = RESEMOTE_TENSOR_SPEC_INIT;
  resemote::check(resemote_session_get_input(session_, 0, &spec));
  input_ = tensor_of(spec);
  resemote::check(resemote_session_get_output(session_, 0, &spec));
  output_ = tensor_of(spec);
  feed_bytes_ = bytes_of_one(input_);
}

void Network::preprocess(const resemote_frame& frame, const std::vector<resemote_box>& boxes, void* feed) {
  resemote::check(resemote_classifier_preprocess(classifier_.get(), &frame, boxes.data(), boxes.size(), feed,
                                                 feed_bytes_ * boxes.size()));
}

void Network::infer(const void* feed, std::size_t count, float* outputs) {
  const std::size_t most = info_.batch_max == 0 ? count : std::min(count, static_cast<std::size_t>(info_.batch_max));
  const std::size_t parts = count == 0 ? 0 : (count + most - 1) / most;
  // The library does not write to inputs; the struct is the same for both.
  char* const bytes = static_cast<char*>(const_cast<void*>(feed));
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = count * part / parts, end = count * (part + 1) / parts;
    point(input_, bytes + feed_bytes_ * first, end - first);
    point(output_, outputs + classes() * first, end - first);
    resemote::check(resemote_session_run(session_, &input_, 1, &output_, 1));
  }
}

void Network::decide(float* outputs, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i) {
    float* const row = outputs + i * classes();
    float* const end = row + classes();
    if (!std::all_of(row, end, [](float value) { return std::isfinite(value); })) {
      throw ToolError(std::string(info_.artifact_name) + ": " + info_.backend + " on " + info_.device +
                          " gives NaN or Inf",
                      "run 'resemote verify', and export for this machine");
    }
    if (info_.gives_probabilities != 0) continue;
    // In double, as in the library.
    const double largest = *std::max_element(row, end);
    double sum = 0.0;
    for (const float* value = row; value != end; ++value) sum += std::exp(*value - largest);
    for (float* value = row; value != end; ++value) *value = static_cast<float>(std::exp(*value - largest) / sum);
  }
}

std::size_t best_of(const float* values, std::size_t count) {
  return static_cast<std::size_t>(std::max_element(values, values + count) - values);
}

}  // namespace resemote_tools
