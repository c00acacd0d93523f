#include "observer.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "error.h"

namespace resemote_internal {
namespace {

constexpr std::chrono::milliseconds kBetween(250);

}  // namespace

bool Observer::goes_on(const char* stage, double seconds, double fraction) const {
  if (progress_ == nullptr) return true;
  const resemote_progress told = {sizeof(resemote_progress), stage, seconds, fraction};
  return progress_(user_data_, &told) == 0;
}

void run_observed(const Observer& observer, const char* stage, Progress& progress, const std::function<void()>& work) {
  if (!observer.asks()) {
    work();
    return;
  }
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::exception_ptr failure;
  const auto began = std::chrono::steady_clock::now();
  std::thread worker;
  try {
    worker = std::thread([&] {
      std::exception_ptr thrown;
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
      const std::lock_guard<std::mutex> lock(mutex);
      failure = thrown;
      done = true;
      ended.notify_one();
    });
  } catch (const std::system_error& error) {
    throw Error(RESEMOTE_STATUS_OUT_OF_MEMORY,
                std::string("no thread can be started (") + error.what() + "); end other threads");
  }
  std::unique_lock<std::mutex> lock(mutex);
  while (!ended.wait_for(lock, kBetween, [&] { return done; })) {
    lock.unlock();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    if (!observer.goes_on(stage, seconds.count(), progress.fraction)) progress.cancelled = true;
    lock.lock();
  }
  lock.unlock();
  worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace resemote_internal
