#include "engine_io.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "error.h"
#include "tensorrt_library.h"
#include "tensorrt_log.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

using nvinfer1::DataType;
using nvinfer1::Dims;
using nvinfer1::OptProfileSelector;

constexpr std::int32_t kProfile = 0;

std::vector<std::int64_t> as_vector(const Dims& dims) {
  return std::vector<std::int64_t>(dims.d, dims.d + std::max(dims.nbDims, 0));
}

// Dimensions are 32 bits wide before TensorRT 10, and 64 since.
Dims with_batch(const std::vector<std::int64_t>& dims, std::int64_t batch) {
  using Extent = std::remove_reference<decltype(std::declval<Dims&>().d[0])>::type;
  Dims shape{};
  shape.nbDims = static_cast<std::int32_t>(dims.size());
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    shape.d[axis] = static_cast<Extent>(dims[axis] < 0 ? batch : dims[axis]);
  }
  return shape;
}

bool same_dtype(DataType dtype, resemote_dtype wanted) {
  if (wanted == RESEMOTE_DTYPE_FLOAT32) return dtype == DataType::kFLOAT;
#if RESEMOTE_TENSORRT_AT_LEAST(8, 5)
  return dtype == DataType::kUINT8;
#else
  return false;  // it has no such type
#endif
}

std::string shown(const std::vector<std::int64_t>& dims) {
  std::string text = "(";
  for (const std::int64_t dim : dims) text += (text.size() > 1 ? ", " : "") + (dim < 0 ? "batch" : std::to_string(dim));
  return text + ")";
}

[[noreturn]] void refuse(const std::string& origin, const std::string& what) {
  throw Error(RESEMOTE_STATUS_ARTIFACT_MISMATCH, origin + ": " + what + "; export it again");
}

// An engine may fix the batch where the passport leaves it open. Whether it takes the passport's sizes is checked
// separately.
bool same_shape(const std::vector<std::int64_t>& found, const std::vector<std::int64_t>& wanted) {
  if (found.size() != wanted.size()) return false;
  for (std::size_t axis = 0; axis < found.size(); ++axis) {
    if (wanted[axis] >= 0 && found[axis] != wanted[axis]) return false;
    if (wanted[axis] < 0 && axis != 0) return false;
  }
  return true;
}

void set_batch_range(EngineTensor& tensor, const Dims& least, const Dims& most) {
  if (!tensor.is_input || tensor.dims.empty()) return;
  const bool fixed = tensor.dims.front() >= 0;
  tensor.batch_min = fixed ? tensor.dims.front() : static_cast<std::int64_t>(least.d[0]);
  tensor.batch_max = fixed ? tensor.dims.front() : static_cast<std::int64_t>(most.d[0]);
}

std::unique_ptr<nvinfer1::IExecutionContext> create_context(nvinfer1::ICudaEngine& engine, void* scratch) {
  const std::uint64_t place = TensorRTLog::instance().place();
#if RESEMOTE_TENSORRT_AT_LEAST(10, 1)
  std::unique_ptr<nvinfer1::IExecutionContext> context(
      engine.createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED));
  if (context != nullptr) context->setDeviceMemoryV2(scratch, engine.getDeviceMemorySizeV2());
#else
  static_cast<void>(scratch);
  std::unique_ptr<nvinfer1::IExecutionContext> context(engine.createExecutionContext());
#endif
  if (context == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "TensorRT cannot create an execution context: " +
                                                    TensorRTLog::instance().errors_after(place) +
                                                    "; if memory is short, end other programs");
  }
  return context;
}

}  // namespace

#if RESEMOTE_TENSORRT_AT_LEAST(10, 1)
const bool kManyContexts = true;
#else
const bool kManyContexts = false;
#endif

std::size_t scratch_bytes(const nvinfer1::ICudaEngine& engine) {
#if RESEMOTE_TENSORRT_AT_LEAST(10, 1)
  return static_cast<std::size_t>(std::max<std::int64_t>(engine.getDeviceMemorySizeV2(), 0));
#else
  static_cast<void>(engine);
  return 0;
#endif
}

std::vector<EngineTensor> engine_tensors(const nvinfer1::ICudaEngine& engine) {
  std::vector<EngineTensor> tensors;
#if RESEMOTE_TENSORRT_AT_LEAST(8, 5)
  for (std::int32_t index = 0; index < engine.getNbIOTensors(); ++index) {
    char const* const name = engine.getIOTensorName(index);
    EngineTensor tensor;
    tensor.name = name;
    tensor.is_input = engine.getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    tensor.dtype = engine.getTensorDataType(name);
    tensor.dims = as_vector(engine.getTensorShape(name));
    if (tensor.is_input) {
      set_batch_range(tensor, engine.getProfileShape(name, kProfile, OptProfileSelector::kMIN),
                      engine.getProfileShape(name, kProfile, OptProfileSelector::kMAX));
    }
    tensors.push_back(std::move(tensor));
  }
#else
  // Each profile has a set of bindings, in the order of the profiles.
  const std::int32_t count = engine.getNbBindings() / std::max(engine.getNbOptimizationProfiles(), 1);
  for (std::int32_t index = 0; index < count; ++index) {
    EngineTensor tensor;
    tensor.name = engine.getBindingName(index);
    tensor.is_input = engine.bindingIsInput(index);
    tensor.dtype = engine.getBindingDataType(index);
    tensor.dims = as_vector(engine.getBindingDimensions(index));
    if (tensor.is_input) {
      set_batch_range(tensor, engine.getProfileDimensions(index, kProfile, OptProfileSelector::kMIN),
                      engine.getProfileDimensions(index, kProfile, OptProfileSelector::kMAX));
    }
    tensors.push_back(std::move(tensor));
  }
#endif
  return tensors;
}

std::size_t match_tensor(const std::vector<EngineTensor>& tensors, const TensorSpec& spec, bool is_input,
                         const Passport& passport, const std::string& origin) {
  const std::string called = std::string(is_input ? "input" : "output") + " '" + spec.name + "'";
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const EngineTensor& tensor) {
    return tensor.name == spec.name && tensor.is_input == is_input;
  });
  if (found == tensors.end()) refuse(origin, "the engine has no " + called);
  if (!same_dtype(found->dtype, spec.dtype)) {
    refuse(origin, called + " is " + (spec.dtype == RESEMOTE_DTYPE_UINT8 ? "uint8" : "float32") +
                       " in the passport and of another type in the engine");
  }
  if (!same_shape(found->dims, spec.dims)) {
    refuse(origin, called + " is " + shown(found->dims) + " in the engine, " + shown(spec.dims) + " in the passport");
  }
  const bool takes_all = found->batch_min <= passport.batch_min && found->batch_max >= passport.batch_max;
  if (is_input && !spec.dims.empty() && spec.dims.front() < 0 && !takes_all) {
    refuse(origin, "the engine takes batches of " + std::to_string(found->batch_min) + " to " +
                       std::to_string(found->batch_max) + ", the passport promises " +
                       std::to_string(passport.batch_min) + " to " + std::to_string(passport.batch_max));
  }
  return static_cast<std::size_t>(found - tensors.begin());
}

Execution::Execution(nvinfer1::ICudaEngine& engine, const std::vector<EngineTensor>& tensors,
                     std::vector<void*> addresses, void* scratch)
    : tensors_(tensors), addresses_(std::move(addresses)), context_(create_context(engine, scratch)) {
#if RESEMOTE_TENSORRT_AT_LEAST(8, 5)
  for (std::size_t index = 0; index < tensors_.size(); ++index) {
    const std::uint64_t place = TensorRTLog::instance().place();
    if (!context_->setTensorAddress(tensors_[index].name.c_str(), addresses_[index])) {
      throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "TensorRT refuses the memory of tensor '" + tensors_[index].name +
                                                      "': " + TensorRTLog::instance().errors_after(place));
    }
  }
#endif
}

void Execution::set_batch(std::int64_t batch) {
  for (std::size_t index = 0; index < tensors_.size(); ++index) {
    const EngineTensor& tensor = tensors_[index];
    if (!tensor.is_input) continue;
    const std::uint64_t place = TensorRTLog::instance().place();
    const Dims shape = with_batch(tensor.dims, batch);
#if RESEMOTE_TENSORRT_AT_LEAST(8, 5)
    const bool taken = context_->setInputShape(tensor.name.c_str(), shape);
#else
    const bool taken = context_->setBindingDimensions(static_cast<std::int32_t>(index), shape);
#endif
    if (!taken) {
      throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "TensorRT refuses a batch of " + std::to_string(batch) +
                                                      " for input '" + tensor.name +
                                                      "': " + TensorRTLog::instance().errors_after(place));
    }
  }
}

void Execution::enqueue(cudaStream_t stream) {
  const std::uint64_t place = TensorRTLog::instance().place();
#if RESEMOTE_TENSORRT_AT_LEAST(8, 5)
  const bool done = context_->enqueueV3(stream);
#else
  const bool done = context_->enqueueV2(addresses_.data(), stream, nullptr);
#endif
  if (!done) {
    throw Error(RESEMOTE_STATUS_BACKEND_FAILED,
                "TensorRT cannot run the engine: " + TensorRTLog::instance().errors_after(place));
  }
}

}  // namespace tensorrt
}  // namespace resemote_internal
