// TensorRTEngine's own logic without a GPU: what it copies, when it records a graph, whose context it takes, what it
// releases. Stand-ins replace CUDA and TensorRT, because neither runs without a GPU; the comments below name them.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "error.h"
#include "tensorrt_engine.h"

namespace {

// ---- CUDA: memory is the heap's, a stream runs at once, a graph is the list of what was put on the stream ----------

using Work = std::function<void()>;
using Graph = std::vector<Work>;

bool capturing = false;
bool capture_fails = false;
Graph captured;
int live = 0;  // memory, streams, graphs
int captures = 0;
int launches = 0;
cudaError_t next_copy = cudaSuccess;

void put_on_stream(const Work& work) {
  if (capturing) {
    captured.push_back(work);
  } else {
    work();
  }
}

cudaError_t take(void** pointer, std::size_t size) {
  ++live;
  *pointer = std::calloc(size, 1);
  return cudaSuccess;
}

cudaError_t release(void* pointer) {
  live -= pointer != nullptr ? 1 : 0;
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t copy(void* target, const void* source, std::size_t size, cudaMemcpyKind, cudaStream_t) {
  put_on_stream([=] { std::memcpy(target, source, size); });
  const cudaError_t status = next_copy;
  next_copy = cudaSuccess;
  return status;
}

cudaError_t create_stream(cudaStream_t* stream, unsigned int flags) {
  CHECK(flags == cudaStreamNonBlocking);
  ++live;
  *stream = reinterpret_cast<cudaStream_t>(&live);
  return cudaSuccess;
}

cudaError_t destroy_stream(cudaStream_t) {
  --live;
  return cudaSuccess;
}

cudaError_t begin(cudaStream_t, cudaStreamCaptureMode mode) {
  CHECK(mode == cudaStreamCaptureModeThreadLocal && !capturing);
  capturing = true;
  captured.clear();
  return cudaSuccess;
}

cudaError_t end(cudaStream_t, cudaGraph_t* graph) {
  CHECK(capturing);
  capturing = false;
  if (capture_fails) {
    *graph = nullptr;
    return cudaErrorStreamCaptureInvalidated;
  }
  ++live;
  ++captures;
  *graph = reinterpret_cast<cudaGraph_t>(new Graph(captured));
  return cudaSuccess;
}

cudaError_t instantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  ++live;
  *executable = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
  return cudaSuccess;
}

cudaError_t launch(cudaGraphExec_t executable, cudaStream_t) {
  ++launches;
  for (const Work& work : *reinterpret_cast<Graph*>(executable)) work();
  return cudaSuccess;
}

cudaError_t destroy_graph(cudaGraph_t graph) {
  --live;
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t destroy_executable(cudaGraphExec_t executable) {
  --live;
  delete reinterpret_cast<Graph*>(executable);
  return cudaSuccess;
}

cudaError_t fine() { return cudaSuccess; }
cudaError_t fine_for_device(int) { return cudaSuccess; }
cudaError_t fine_for_stream(cudaStream_t) { return cudaSuccess; }
const char* words(cudaError_t status) { return status == cudaErrorStreamCaptureInvalidated ? "invalidated" : "broken"; }

void* function_called(const std::string& name) {
  static const std::map<std::string, void*> functions{
      {"cudaMalloc", reinterpret_cast<void*>(&take)},
      {"cudaFree", reinterpret_cast<void*>(&release)},
      {"cudaMallocHost", reinterpret_cast<void*>(&take)},
      {"cudaFreeHost", reinterpret_cast<void*>(&release)},
      {"cudaMemcpyAsync", reinterpret_cast<void*>(&copy)},
      {"cudaStreamCreateWithFlags", reinterpret_cast<void*>(&create_stream)},
      {"cudaStreamDestroy", reinterpret_cast<void*>(&destroy_stream)},
      {"cudaStreamSynchronize", reinterpret_cast<void*>(&fine_for_stream)},
      {"cudaStreamBeginCapture", reinterpret_cast<void*>(&begin)},
      {"cudaStreamEndCapture", reinterpret_cast<void*>(&end)},
      {"cudaGraphInstantiateWithFlags", reinterpret_cast<void*>(&instantiate)},
      {"cudaGraphLaunch", reinterpret_cast<void*>(&launch)},
      {"cudaGraphDestroy", reinterpret_cast<void*>(&destroy_graph)},
      {"cudaGraphExecDestroy", reinterpret_cast<void*>(&destroy_executable)},
      {"cudaSetDevice", reinterpret_cast<void*>(&fine_for_device)},
      {"cudaGetLastError", reinterpret_cast<void*>(&fine)},
      {"cudaGetErrorString", reinterpret_cast<void*>(&words)},
      // Not called by the engine.
      {"cudaRuntimeGetVersion", reinterpret_cast<void*>(&fine)},
      {"cudaGetDeviceCount", reinterpret_cast<void*>(&fine)},
      {"cudaDeviceGetAttribute", reinterpret_cast<void*>(&fine)},
      {"cudaGetDeviceProperties", reinterpret_cast<void*>(&fine)},
  };
  const auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

// ---- TensorRT: a context multiplies its batch by the batch size it was shaped for ----------------------------------

int contexts = 0;
int shapings = 0;
std::map<const resemote_internal::tensorrt::Execution*, std::int64_t> shapes;

struct NoRuntime final : nvinfer1::IRuntime {};
struct NoEngine final : nvinfer1::ICudaEngine {};

}  // namespace

namespace resemote_internal {

SharedLibrary::SharedLibrary(const std::vector<std::string>&, const std::string&, const char*, const std::string&) {}
void* SharedLibrary::symbol(const char* name) const {
  CHECK(function_called(name) != nullptr);
  return function_called(name);
}
void* SharedLibrary::find_symbol(const char* name) const noexcept { return function_called(name); }

namespace tensorrt {

const bool kManyContexts = MANY_CONTEXTS;

std::vector<EngineTensor> engine_tensors(const nvinfer1::ICudaEngine&) {
  std::vector<EngineTensor> tensors(2);
  tensors[0].name = "out";  // not in the passport's order
  tensors[1].name = "in";
  return tensors;
}
std::size_t match_tensor(const std::vector<EngineTensor>&, const TensorSpec&, bool is_input, const Passport&,
                         const std::string&) {
  return is_input ? 1 : 0;
}
std::size_t scratch_bytes(const nvinfer1::ICudaEngine&) { return 0; }

Execution::Execution(nvinfer1::ICudaEngine&, const std::vector<EngineTensor>& tensors, std::vector<void*> addresses,
                     void* scratch)
    : tensors_(tensors), addresses_(addresses) {
  CHECK(scratch != nullptr);
  ++contexts;
}
void Execution::set_batch(std::int64_t batch) {
  ++shapings;
  shapes[this] = batch;
}
void Execution::enqueue(cudaStream_t) {
  const std::int64_t batch = shapes.at(this);
  const float* const in = static_cast<const float*>(addresses_[1]);
  float* const out = static_cast<float*>(addresses_[0]);
  put_on_stream([=] {
    for (std::int64_t index = 0; index < 2 * batch; ++index) out[index] = in[index] * static_cast<float>(batch);
  });
}

}  // namespace tensorrt
}  // namespace resemote_internal

namespace {

using resemote_internal::Passport;
using resemote_internal::TensorSpec;
using resemote_internal::TensorView;
using resemote_internal::tensorrt::Cudart;
using resemote_internal::tensorrt::TensorRTEngine;

constexpr std::int64_t kLargest = 16;

Passport a_passport() {
  Passport passport;
  TensorSpec spec;
  spec.dims = {-1, 2};
  spec.name = "in";
  passport.inputs = {spec};
  spec.name = "out";
  passport.outputs = {spec};
  passport.batch_max = kLargest;
  return passport;
}

std::unique_ptr<TensorRTEngine> an_engine(const Passport& passport) {
  contexts = shapings = captures = launches = 0;
  return std::make_unique<TensorRTEngine>(std::make_unique<Cudart>(), 0, passport, std::make_unique<NoRuntime>(),
                                          std::make_unique<NoEngine>(), "engine");
}

void run_right(TensorRTEngine& engine, const Passport& passport, std::int64_t batch, float first) {
  std::vector<float> in(static_cast<std::size_t>(2 * batch));
  for (std::size_t index = 0; index < in.size(); ++index) in[index] = first + static_cast<float>(index);
  std::vector<float> out(in.size(), -1.0F);
  engine.run({TensorView{&passport.inputs[0], in.data(), batch}},
             {TensorView{&passport.outputs[0], out.data(), batch}});
  for (std::size_t index = 0; index < in.size(); ++index) CHECK(out[index] == in[index] * static_cast<float>(batch));
}

resemote_status status_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const resemote_internal::Error& error) {
    return error.status();
  }
  return RESEMOTE_STATUS_OK;
}

void a_graph_is_recorded_at_the_second_call_and_launched_from_then_on() {
  const Passport passport = a_passport();
  const auto engine = an_engine(passport);
  run_right(*engine, passport, 3, 1.0F);
  CHECK(captures == 0 && launches == 0);
  run_right(*engine, passport, 3, 5.0F);
  CHECK(captures == 1 && launches == 1);
  run_right(*engine, passport, 3, 9.0F);
  CHECK(captures == 1 && launches == 2);
  CHECK(engine->graphs() == "in use");
}

void batch_sizes_in_turn() {
  const Passport passport = a_passport();
  const auto engine = an_engine(passport);
  for (int round = 0; round < 4; ++round) {
    for (std::int64_t batch = 1; batch <= 3; ++batch) run_right(*engine, passport, batch, static_cast<float>(round));
  }
#if MANY_CONTEXTS
  CHECK(contexts == 3 && captures == 3 && launches == 9);
#else
  CHECK(contexts == 1 && captures == 0 && launches == 0);  // the shape changes with every call
#endif
}

void more_batch_sizes_than_are_kept() {
  const Passport passport = a_passport();
  const auto engine = an_engine(passport);
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t batch = 1; batch <= kLargest; ++batch) {
      run_right(*engine, passport, batch, 2.0F);
      run_right(*engine, passport, batch, 3.0F);
      run_right(*engine, passport, 1, 4.0F);
    }
  }
  CHECK(contexts == (MANY_CONTEXTS ? 8 : 1));
#if MANY_CONTEXTS
  // Batch 1 was always among those used last, so that it was shaped once.
  CHECK(shapings == 1 + 3 * (static_cast<int>(kLargest) - 1));
#endif
}

void where_recording_fails_calls_run_step_by_step_and_say_so() {
  const Passport passport = a_passport();
  const auto engine = an_engine(passport);
  capture_fails = true;
  for (int call = 0; call < 4; ++call) run_right(*engine, passport, 2, static_cast<float>(call));
  capture_fails = false;
  run_right(*engine, passport, 2, 7.0F);
  CHECK(captures == 0 && launches == 0);
  CHECK(engine->graphs().find("step by step") != std::string::npos);
  CHECK(engine->graphs().find("invalidated") != std::string::npos);
}

void a_failed_call_is_an_error_and_the_next_one_is_right() {
  const Passport passport = a_passport();
  const auto engine = an_engine(passport);
  next_copy = cudaErrorLaunchFailure;
  CHECK(status_of([&] { run_right(*engine, passport, 2, 1.0F); }) == RESEMOTE_STATUS_BACKEND_FAILED);
  run_right(*engine, passport, 2, 1.0F);
  CHECK(status_of([&] { run_right(*engine, passport, kLargest + 1, 1.0F); }) == RESEMOTE_STATUS_INVALID_ARGUMENT);
  CHECK(status_of([&] { run_right(*engine, passport, 0, 1.0F); }) == RESEMOTE_STATUS_INVALID_ARGUMENT);
}

void what_does_not_fit_is_refused_and_releases_all() {
  Passport passport = a_passport();
  passport.batch_max = 0;
  CHECK(status_of([&] { an_engine(passport); }) == RESEMOTE_STATUS_ARTIFACT_MISMATCH);
  passport = a_passport();
  passport.outputs.push_back(passport.outputs[0]);
  CHECK(status_of([&] { an_engine(passport); }) == RESEMOTE_STATUS_ARTIFACT_MISMATCH);
}

}  // namespace

int main() {
  a_graph_is_recorded_at_the_second_call_and_launched_from_then_on();
  CHECK(live == 0);
  batch_sizes_in_turn();
  CHECK(live == 0);
  more_batch_sizes_than_are_kept();
  CHECK(live == 0);
  where_recording_fails_calls_run_step_by_step_and_say_so();
  CHECK(live == 0);
  a_failed_call_is_an_error_and_the_next_one_is_right();
  CHECK(live == 0);
  what_does_not_fit_is_refused_and_releases_all();
  CHECK(live == 0);
  return 0;
}
