// session_overhead ARTIFACT BACKEND LIBRARY ROUNDS
//
// Times resemote_session_run, and the same inference written by hand against the engine's C API, in turn, in one
// process, and prints the samples as JSON: nanoseconds, in order. Both read the same input and write the logits to the
// same array. The engine is opened twice with the same settings. Which of the two comes first alternates.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "artifact.h"
#include "error.h"
#include "onnxruntime_api.h"
#include "openvino_api.h"
#include "resemote/runtime.hpp"

namespace {

using Clock = std::chrono::steady_clock;

// The inference, written by hand.
class Bare {
 public:
  virtual ~Bare() = default;
  virtual void run() = 0;
};

struct Job {
  const resemote_internal::Artifact& artifact;
  std::string path;
  std::string library;
  std::vector<float>& feed;
  std::vector<float>& logits;
};

// Releases nothing, because it ends with the process.
class BareOpenVINO : public Bare {
 public:
  explicit BareOpenVINO(const Job& job) : api_(resemote_internal::openvino_api(job.library)), logits_(job.logits) {
    ov_core_t* core = nullptr;
    ov_model_t* model = nullptr;
    ov_compiled_model_t* compiled = nullptr;
    api_.check(api_.core_create(&core), "core");
    api_.check(api_.core_read_model(core, job.path.c_str(), nullptr, &model), "model");
    api_.check(api_.core_compile_model(core, model, "CPU", 6, &compiled, "PERFORMANCE_HINT", "LATENCY",
                                       "INFERENCE_PRECISION_HINT", "f32", "INFERENCE_NUM_THREADS", "1"),
               "compile");
    api_.check(api_.compiled_model_create_infer_request(compiled, &request_), "request");
    std::int64_t dims[] = {1, 3, 64, 64};
    ov_tensor_t* tensor = nullptr;
    api_.check(api_.tensor_create_from_host_ptr(ov_element_type_e::F32, {4, dims}, job.feed.data(), &tensor), "tensor");
    api_.check(api_.infer_request_set_tensor(request_, "input", tensor), "input");
  }

  void run() override {
    api_.infer_request_infer(request_);
    ov_tensor_t* tensor = nullptr;
    void* data = nullptr;
    api_.infer_request_get_tensor(request_, "logits", &tensor);
    api_.tensor_data(tensor, &data);
    std::memcpy(logits_.data(), data, logits_.size() * sizeof(float));
    api_.tensor_free(tensor);
  }

 private:
  const resemote_internal::OpenVINOApi& api_;
  std::vector<float>& logits_;
  ov_infer_request_t* request_ = nullptr;
};

class BareOnnxRuntime : public Bare {
 public:
  explicit BareOnnxRuntime(const Job& job) : api_(resemote_internal::onnxruntime_api(job.library)) {
    resemote_internal::OrtEnvObject* env = nullptr;
    resemote_internal::OrtSessionOptionsObject* options = nullptr;
    resemote_internal::OrtMemoryInfoObject* memory = nullptr;
    api_.check(api_.create_env(4, "bare", &env), "env");
    api_.check(api_.disable_telemetry_events(env), "telemetry");
    api_.check(api_.create_session_options(&options), "options");
    api_.check(api_.add_session_config_entry(options, "session.x64quantprecision", "1"), "options");
    api_.check(api_.add_session_config_entry(options, "optimization.disable_specified_optimizers",
                                             "WeightBiasQuantization"),
               "options");
    api_.check(api_.set_intra_op_num_threads(options, 1), "options");
    api_.check(api_.set_inter_op_num_threads(options, 1), "options");
    api_.check(api_.create_session(env, job.path.c_str(), options, &session_), "session");
    api_.check(api_.create_cpu_memory_info(1, 0, &memory), "memory");
    const std::int64_t in[] = {1, 3, 64, 64}, out[] = {1, static_cast<std::int64_t>(job.logits.size())};
    api_.check(api_.create_tensor_with_data(memory, job.feed.data(), job.feed.size() * 4, in, 4, 1, &input_), "input");
    api_.check(api_.create_tensor_with_data(memory, job.logits.data(), job.logits.size() * 4, out, 2, 1, &output_),
               "output");
  }

  void run() override {
    const char* const in[] = {"input"};
    const char* const out[] = {"logits"};
    const resemote_internal::OrtValueObject* const inputs[] = {input_};
    api_.check(api_.run(session_, nullptr, in, inputs, 1, out, 1, &output_), "run");
  }

 private:
  const resemote_internal::OnnxRuntimeApi& api_;
  resemote_internal::OrtSessionObject* session_ = nullptr;
  resemote_internal::OrtValueObject* input_ = nullptr;
  resemote_internal::OrtValueObject* output_ = nullptr;
};

template <typename Call>
long long timed(Call&& call) {
  const auto start = Clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

void print(const char* name, const std::vector<long long>& samples, const char* end) {
  std::cout << "\"" << name << "\": [";
  for (std::size_t i = 0; i < samples.size(); ++i) std::cout << (i > 0 ? ", " : "") << samples[i];
  std::cout << "]" << end;
}

void measure(const std::string& folder, const std::string& backend, const std::string& library, int rounds) {
  const resemote_internal::Artifact artifact(folder);
  std::vector<float> feed(3 * 64 * 64, 0.25F), logits(artifact.passport().labels.size());
  const resemote_internal::FileEntry* const file = artifact.find({"openvino-ir", "onnx"});
  const Job job = {artifact, artifact.file(*file), library, feed, logits};
  std::unique_ptr<Bare> bare;
  if (backend == "openvino") {
    bare.reset(new BareOpenVINO(job));
  } else {
    bare.reset(new BareOnnxRuntime(job));
  }
  resemote_session_options options = resemote::default_session_options();
  options.backend = backend.c_str();
  options.library = library.c_str();
  options.threads = 1;
  resemote::Session session(folder, options);
  const std::vector<resemote_tensor> inputs = {
      {"input", feed.data(), feed.size() * 4, RESEMOTE_DTYPE_FLOAT32, 4, {1, 3, 64, 64}}};
  const std::vector<resemote_tensor> outputs = {{"logits",
                                                 logits.data(),
                                                 logits.size() * 4,
                                                 RESEMOTE_DTYPE_FLOAT32,
                                                 2,
                                                 {1, static_cast<std::int64_t>(logits.size())}}};
  std::vector<long long> ours, theirs;
  for (int round = -rounds / 10; round < rounds; ++round) {
    long long mine = 0, bares = 0;
    if (round % 2 == 0) mine = timed([&] { session.run(inputs, outputs); });
    bares = timed([&] { bare->run(); });
    if (round % 2 != 0) mine = timed([&] { session.run(inputs, outputs); });
    if (round < 0) continue;  // warm-up
    ours.push_back(mine);
    theirs.push_back(bares);
  }
  std::cout << "{";
  print("session_ns", ours, ", ");
  print("bare_ns", theirs, "}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: session_overhead ARTIFACT BACKEND LIBRARY ROUNDS\n";
    return 2;
  }
  try {
    measure(argv[1], argv[2], argv[3], std::atoi(argv[4]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "session_overhead: " << error.what() << "\n";
    return 1;
  }
}
