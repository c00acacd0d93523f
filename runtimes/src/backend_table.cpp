// The list of backends. It does not depend on how the library was built: a backend that was left out says so.
#include <algorithm>

#include "backend.h"
#include "error.h"
#if defined(RESEMOTE_WITH_OPENVINO)
#include "openvino_backend.h"
#endif
#if defined(RESEMOTE_WITH_ONNXRUNTIME)
#include "onnxruntime_backend.h"
#endif
#if defined(RESEMOTE_WITH_TENSORRT)
#include "tensorrt_backend.h"
#endif

namespace resemote_internal {
namespace {

// Represents a backend whose headers were not found when the library was built.
class LeftOut : public Backend {
 public:
  LeftOut(const char* name, std::vector<std::string> formats) : name_(name), formats_(std::move(formats)) {}
  const char* name() const override { return name_; }
  std::vector<std::string> formats() const override { return formats_; }
  BackendInfo probe(const std::string&) const override {
    BackendInfo info;
    info.reason = std::string("this library was built without it; build it again where CMake finds the headers of ") +
                  name_;
    return info;
  }
  std::unique_ptr<Engine> create(const EngineRequest&) const override {
    throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE, "backend " + std::string(name_) + ": " + probe("").reason);
  }

 private:
  const char* name_;
  std::vector<std::string> formats_;
};

const Backend& tensorrt() {
#if defined(RESEMOTE_WITH_TENSORRT)
  return tensorrt_backend();
#else
  static const LeftOut backend("tensorrt", {"tensorrt-engine", "onnx"});
  return backend;
#endif
}

const Backend& openvino() {
#if defined(RESEMOTE_WITH_OPENVINO)
  return openvino_backend();
#else
  static const LeftOut backend("openvino", {"openvino-ir", "onnx"});
  return backend;
#endif
}

const Backend& onnxruntime() {
#if defined(RESEMOTE_WITH_ONNXRUNTIME)
  return onnxruntime_backend();
#else
  static const LeftOut backend("onnxruntime", {"onnx"});
  return backend;
#endif
}

}  // namespace

const std::vector<const Backend*>& backends() {
  // A backend is listed before others that can load its format but are made for another one.
  static const std::vector<const Backend*> all = {&tensorrt(), &onnxruntime(), &openvino()};
  return all;
}

const Backend& find_backend(const std::string& name) {
  std::string names;
  for (const Backend* backend : backends()) {
    if (name == backend->name()) return *backend;
    names += (names.empty() ? "" : ", ") + std::string(backend->name());
  }
  throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "there is no backend '" + name + "'; there are " + names);
}

}  // namespace resemote_internal
