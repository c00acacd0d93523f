#include "tensorrt_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "error.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

// Number of batch sizes whose context and graph are kept. Frames commonly have up to that many faces.
constexpr std::size_t kMostShapes = 8;
// TensorRT needs memory of at least this size, and CUDA allocates none for zero bytes.
constexpr std::size_t kLeastScratch = 256;

}  // namespace

TensorRTEngine::TensorRTEngine(std::unique_ptr<Cudart> cuda, int gpu, const Passport& passport,
                               std::unique_ptr<nvinfer1::IRuntime> runtime,
                               std::unique_ptr<nvinfer1::ICudaEngine> engine, const std::string& origin)
    : cuda_(std::move(cuda)),
      gpu_(gpu),
      runtime_(std::move(runtime)),
      engine_(std::move(engine)),
      batch_min_(std::max<std::int64_t>(passport.batch_min, 1)),
      batch_max_(passport.batch_max),
      tensors_(engine_tensors(*engine_)) {
  cuda_->use_gpu(gpu_);
  open_ports(passport, origin);
  scratch_ = std::make_unique<DeviceBuffer>(*cuda_, std::max(scratch_bytes(*engine_), kLeastScratch));
  stream_ = std::make_unique<CudaStream>(*cuda_);
  // The first context is made at once, so that a lack of memory is reported now.
  shaped_for(batch_min_);
}

TensorRTEngine::~TensorRTEngine() {
  try {
    cuda_->use_gpu(gpu_);  // the destructor may run in any thread
  } catch (const Error&) {
    // The driver is shutting down. The objects that are released below know their GPU.
  }
  if (stream_ != nullptr) stream_->settle();
}

void TensorRTEngine::open_ports(const Passport& passport, const std::string& origin) {
  if (batch_max_ < batch_min_) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                origin + ": the passport names no largest batch; export it again with one");
  }
  if (tensors_.size() != passport.inputs.size() + passport.outputs.size()) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH,
                origin + ": the engine has " + std::to_string(tensors_.size()) + " inputs and outputs, the passport " +
                    std::to_string(passport.inputs.size() + passport.outputs.size()) + "; export it again");
  }
  ports_.resize(tensors_.size());
  const auto open = [&](const TensorSpec& spec, bool is_input) {
    const std::size_t place = match_tensor(tensors_, spec, is_input, passport, origin);
    ports_[place] = std::make_unique<Port>(*cuda_, spec.bytes(batch_max_));
    return place;
  };
  for (const TensorSpec& spec : passport.inputs) input_places_.push_back(open(spec, true));
  for (const TensorSpec& spec : passport.outputs) output_places_.push_back(open(spec, false));
}

void TensorRTEngine::run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) {
  const std::int64_t batch = inputs.front().batch;
  if (batch < batch_min_ || batch > batch_max_) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
                "a batch of " + std::to_string(batch) + " does not fit: this engine takes " +
                    std::to_string(batch_min_) + " to " + std::to_string(batch_max_));
  }
  cuda_->use_gpu(gpu_);
  try {
    compute(inputs, outputs, shaped_for(batch));
  } catch (...) {
    // The next call writes to the same memory, so no copy of this one may be in progress.
    stream_->settle();
    throw;
  }
}

void TensorRTEngine::compute(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs,
                             Shaped& shaped) {
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    std::memcpy(ports_[input_places_[index]]->host.data(), inputs[index].data, inputs[index].bytes());
  }
  if (record_ && shaped.ran && shaped.graph == nullptr) {
    try {
      shaped.graph = std::make_unique<CudaGraph>(*cuda_, *stream_, [&] { enqueue(inputs, outputs, shaped); });
    } catch (const Error& error) {
      record_ = false;
      graphs_ = std::string("not in use, calls run step by step: ") + error.what();
    }
  }
  if (shaped.graph != nullptr) {
    shaped.graph->launch();
  } else {
    enqueue(inputs, outputs, shaped);
    shaped.ran = true;
  }
  stream_->synchronize();
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    std::memcpy(outputs[index].data, ports_[output_places_[index]]->host.data(), outputs[index].bytes());
  }
}

void TensorRTEngine::enqueue(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs,
                             Shaped& shaped) {
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const Port& port = *ports_[input_places_[index]];
    stream_->copy(port.device.data(), port.host.data(), inputs[index].bytes(), cudaMemcpyHostToDevice);
  }
  shaped.execution->enqueue(stream_->handle());
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    const Port& port = *ports_[output_places_[index]];
    stream_->copy(port.host.data(), port.device.data(), outputs[index].bytes(), cudaMemcpyDeviceToHost);
  }
}

TensorRTEngine::Shaped& TensorRTEngine::shaped_for(std::int64_t batch) {
  ++calls_;
  for (const std::unique_ptr<Shaped>& shaped : shaped_) {
    if (shaped->batch != batch) continue;
    shaped->last_used = calls_;
    return *shaped;
  }
  Shaped& slot = free_slot();
  // A graph belongs to the shapes of its context. While these change, the slot has no batch size by which it is found.
  slot.graph.reset();
  slot.ran = false;
  slot.batch = 0;
  slot.execution->set_batch(batch);
  slot.batch = batch;
  slot.last_used = calls_;
  return slot;
}

TensorRTEngine::Shaped& TensorRTEngine::free_slot() {
  if (shaped_.empty() || (kManyContexts && shaped_.size() < kMostShapes)) {
    std::vector<void*> addresses;
    for (const std::unique_ptr<Port>& port : ports_) addresses.push_back(port->device.data());
    auto slot = std::make_unique<Shaped>();
    slot->execution = std::make_unique<Execution>(*engine_, tensors_, std::move(addresses), scratch_->data());
    shaped_.push_back(std::move(slot));
    return *shaped_.back();
  }
  return **std::min_element(shaped_.begin(), shaped_.end(), [](const auto& left, const auto& right) {
    return left->last_used < right->last_used;
  });
}

}  // namespace tensorrt
}  // namespace resemote_internal
