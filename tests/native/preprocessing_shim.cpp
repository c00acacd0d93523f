// The preprocessing by itself, for tests/native/test_preprocessing.py: C functions that ctypes can call, and a count of
// what was allocated.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "error.h"
#include "preprocessing.h"

#define SHIM_API extern "C" __attribute__((visibility("default")))

namespace {

std::uint64_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Room for a message, of the test's.
struct Message {
  char* text;
  std::size_t size;
};

template <typename Body>
std::int32_t status_of(const Message& message, Body&& body) {
  try {
    body();
    return RESEMOTE_STATUS_OK;
  } catch (const resemote_internal::Error& error) {
    std::snprintf(message.text, message.size, "%s", error.what());
    return error.status();
  }
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

SHIM_API std::uint64_t shim_allocations() { return allocations; }

SHIM_API std::int32_t shim_create(std::int32_t height, std::int32_t width, std::int32_t channels, const double* mean,
                                  const double* deviation, std::int32_t input, std::int32_t edges, char* text,
                                  std::size_t text_size, resemote_internal::Preprocessor** preprocessor) {
  return status_of(Message{text, text_size}, [&] {
    resemote_internal::PreprocessSpec spec;
    spec.height = height;
    spec.width = width;
    spec.channels = channels;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      spec.mean[channel] = mean[channel];
      spec.std[channel] = deviation[channel];
    }
    spec.input = static_cast<resemote_internal::InputFormat>(input);
    *preprocessor = new resemote_internal::Preprocessor(spec, static_cast<resemote_internal::Edges>(edges));
  });
}

SHIM_API void shim_destroy(resemote_internal::Preprocessor* preprocessor) { delete preprocessor; }

SHIM_API std::size_t shim_feed_bytes(const resemote_internal::Preprocessor* preprocessor) { return preprocessor->feed_bytes(); }

SHIM_API std::int32_t shim_check_frame(const resemote_frame* frame, char* text, std::size_t text_size) {
  return status_of(Message{text, text_size}, [&] { resemote_internal::check_frame(*frame); });
}

SHIM_API std::int32_t shim_run(resemote_internal::Preprocessor* preprocessor, const resemote_frame* frame,
                               const resemote_box* boxes, std::size_t box_count, void* feed, char* text,
                               std::size_t text_size) {
  return status_of(Message{text, text_size}, [&] { preprocessor->run(*frame, boxes, box_count, feed); });
}
