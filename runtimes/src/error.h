// Error: the exception of every part of the library, and the wall that keeps it from crossing the C ABI.
#pragma once

#include <new>
#include <stdexcept>
#include <string>

#include "resemote/status.h"

// The namespace `resemote` belongs to the public wrapper. A program that links the library statically contains both.
namespace resemote_internal {

// A failure with its status. The message says what failed, what was found and what to do.
class Error : public std::runtime_error {
 public:
  Error(resemote_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  resemote_status status() const noexcept { return status_; }

 private:
  resemote_status status_;
};

// Remembers a failure for this thread's resemote_last_error().
resemote_status remember_failure(resemote_status status, const char* message) noexcept;
const char* last_failure() noexcept;

// Runs the body of a C function, and turns any exception into a status.
template <typename Body>
resemote_status guarded(Body&& body) noexcept {
  try {
    body();
    return RESEMOTE_STATUS_OK;
  } catch (const Error& error) {
    return remember_failure(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return remember_failure(RESEMOTE_STATUS_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return remember_failure(RESEMOTE_STATUS_INTERNAL, error.what());
  } catch (...) {
    return remember_failure(RESEMOTE_STATUS_INTERNAL, "an exception outside of std::exception");
  }
}

}  // namespace resemote_internal
