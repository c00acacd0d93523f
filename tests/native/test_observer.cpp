// Work that takes long: who is told, by which thread, and how it is cancelled.
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "observer.h"

using resemote_internal::Observer;
using resemote_internal::Progress;
using resemote_internal::run_observed;

namespace {

struct Heard {
  std::vector<std::string> messages;
  std::vector<double> fractions;
  double seconds = 0.0;
  bool same_thread = true;
  std::thread::id thread = std::this_thread::get_id();
  bool cancels = false;
};

void hear(void* user_data, resemote_log_level level, const char* message) {
  static_cast<Heard*>(user_data)->messages.push_back(std::to_string(level) + " " + message);
}

std::int32_t ask(void* user_data, const resemote_progress* progress) {
  Heard& heard = *static_cast<Heard*>(user_data);
  heard.same_thread = heard.same_thread && heard.thread == std::this_thread::get_id();
  heard.fractions.push_back(progress->fraction);
  CHECK(progress->struct_size == sizeof(resemote_progress));
  CHECK(std::string(progress->stage) == "building");
  CHECK(progress->seconds >= heard.seconds);
  heard.seconds = progress->seconds;
  return heard.cancels ? 1 : 0;
}

void wait(const Progress& progress, int most_ms) {
  for (int i = 0; i < most_ms && !progress.cancelled; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

TEST_CASE("progress is told by the thread that waits, and says how far the work is") {
  Heard heard;
  Progress progress;
  run_observed(Observer(hear, ask, &heard), "building", progress, [&] {
    progress.fraction = 0.5;
    wait(progress, 700);
  });
  CHECK(heard.fractions.size() >= 1);
  CHECK(heard.fractions.front() == 0.5);
  CHECK(heard.same_thread);
  CHECK_FALSE(progress.cancelled);
}

TEST_CASE("work that is cancelled is told so, and may end") {
  Heard heard;
  heard.cancels = true;
  Progress progress;
  const auto began = std::chrono::steady_clock::now();
  run_observed(Observer(nullptr, ask, &heard), "building", progress, [&] { wait(progress, 60000); });
  CHECK(progress.cancelled);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
}

TEST_CASE("a failure of the work is one of the caller, with and without a progress function") {
  Heard heard;
  Progress progress;
  for (const Observer& observer : {Observer(), Observer(hear, ask, &heard)}) {
    CHECK_THROWS_WITH(run_observed(observer, "building", progress, [] { throw std::runtime_error("broken"); }), "broken");
  }
}

TEST_CASE("messages have a weight, and nobody need listen") {
  Heard heard;
  const Observer observer(hear, nullptr, &heard);
  observer.info("a");
  observer.warn("b");
  CHECK(heard.messages == std::vector<std::string>{"0 a", "1 b"});
  CHECK(observer.goes_on("building", 0.0, 0.0));
  Observer().warn("nobody hears this");
}
