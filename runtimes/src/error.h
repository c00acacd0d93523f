// Error: what every part of the library throws, and the wall that keeps it from crossing the C ABI.
#pragma once

#include <new>
#include <stdexcept>
#include <string>

#include "resemote/runtime.h"

// Not `resemote`: that is the public wrapper's, and a program that links the library statically has both.
namespace resemote_internal {

// A failure with its status. The message says what failed, what was found, what to do about it.
class Error : public std::runtime_error {
 public:
  Error(resemote_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  resemote_status status() const noexcept { return status_; }

 private:
  resemote_status status_;
};

// Keeps a failure for resemote_last_error() of this thread.
resemote_status remember_failure(resemote_status status, const char* message) noexcept;
const char* last_failure() noexcept;

// Runs the body of a C function; whatever it throws becomes a status.
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
    return remember_failure(RESEMOTE_STATUS_INTERNAL, "an exception that is none of std::exception");
  }
}

}  // namespace resemote_internal
