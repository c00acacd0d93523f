// A plugin, such as one of GStreamer or a JNI library, that carries libresemote.
#include "resemote/runtime.hpp"

extern "C" __attribute__((visibility("default"))) int plugin_answer(const char* artifact) {
  try {
    return static_cast<int>(resemote::Classifier(artifact).labels().size());
  } catch (const resemote::Failure& failure) {
    return -failure.status();
  }
}
