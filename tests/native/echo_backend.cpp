#include "echo_backend.h"

#include <chrono>
#include <thread>

#include "backend.h"
#include "error.h"

namespace resemote_internal {
namespace {

class EchoEngine : public Engine {
 public:
  EchoEngine() { ++echo_settings().alive; }
  ~EchoEngine() override { --echo_settings().alive; }

  void run(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs) override {
    while (echo_settings().hold) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (echo_settings().fail) throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "inference: echo was told to fail");
    const TensorView& input = inputs.front();
    if (input.batch > echo_settings().largest_batch) echo_settings().largest_batch = input.batch;
    const std::int64_t classes = outputs.front().spec->dims[1];
    const std::int64_t count = static_cast<std::int64_t>(input.spec->bytes(1) / input.spec->item_bytes());
    for (std::int64_t row = 0; row < input.batch; ++row) {
      for (std::int64_t c = 0; c < classes; ++c) {
        double sum = 0.0;
        for (std::int64_t i = c; i < count; i += classes) sum += value(input, row * count + i);
        static_cast<float*>(outputs.front().data)[row * classes + c] = static_cast<float>(sum / 100.0);
      }
    }
  }

 private:
  static double value(const TensorView& view, std::int64_t at) {
    return view.spec->dtype == RESEMOTE_DTYPE_FLOAT32 ? static_cast<double>(static_cast<const float*>(view.data)[at])
                                                      : static_cast<const std::uint8_t*>(view.data)[at] / 255.0;
  }
};

class EchoBackend : public Backend {
 public:
  const char* name() const override { return "echo"; }
  std::vector<std::string> formats() const override { return {"onnx"}; }
  BackendInfo probe(const std::string&) const override {
    BackendInfo info;
    info.available = true;
    info.version = "1";
    info.devices = {"cpu", "npu"};
    return info;
  }
  std::unique_ptr<Engine> create(const EngineRequest& request) const override {
    if (request.device == "npu") throw Error(RESEMOTE_STATUS_BACKEND_FAILED, "echo: its npu is broken");
    return std::unique_ptr<Engine>(new EchoEngine);
  }
};

// Listed, and never there.
class AbsentBackend : public Backend {
 public:
  const char* name() const override { return "absent"; }
  std::vector<std::string> formats() const override { return {"onnx"}; }
  BackendInfo probe(const std::string&) const override {
    BackendInfo info;
    info.reason = "libabsent.so was not found; install it";
    return info;
  }
  std::unique_ptr<Engine> create(const EngineRequest&) const override { return nullptr; }
};

}  // namespace

EchoSettings& echo_settings() {
  static EchoSettings settings;
  return settings;
}

const std::vector<const Backend*>& backends() {
  static const AbsentBackend absent;
  static const EchoBackend echo;
  static const std::vector<const Backend*> all = {&absent, &echo};
  return all;
}

const Backend& find_backend(const std::string& name) {
  for (const Backend* backend : backends()) {
    if (name == backend->name()) return *backend;
  }
  throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "there is no backend '" + name + "'; there are absent, echo");
}

}  // namespace resemote_internal
