#include "reader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "../terminal.h"
#include "newest_queue.h"

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;
using Seconds = std::chrono::duration<double>;

// Time before a source is opened again: the first time, and at most.
constexpr double FIRST_BACKOFF_S = 0.1, LARGEST_BACKOFF_S = 1.0;

// Threads that hang and were left behind, above which no more are started.
constexpr std::ptrdiff_t MOST_LEFT_BEHIND = 3;

constexpr std::size_t READ_AHEAD = 2;  // frames of a film

// The first frame of a camera takes longer than those that follow.
constexpr double LEAST_OPENING_S = 10.0;

constexpr double CLOSING_S = 1.0;

// Longest wait for room between two notes that the source gives frames.
constexpr double LONGEST_WAIT_S = 0.5;

// Time between two looks at whether the run goes on.
constexpr double LOOK_S = 0.1;

}  // namespace

class FrameReader::Work : public std::enable_shared_from_this<FrameReader::Work> {
 public:
  Work(const std::string& address, const SourceOptions& source_options, const ReaderOptions& options,
       std::function<void(const std::string&)> notice)
      : address_(address),
        source_options_(source_options),
        options_(options),
        notice_(std::move(notice)),
        first_(new VideoSource(address, source_options)),
        name_(first_->name()),
        live_(first_->live()),
        waits_(!live_ || options.every_frame),
        queue_(waits_ ? READ_AHEAD : 1) {}

  const std::string& name() const { return name_; }
  bool live() const { return live_; }
  double rate() const { return rate_; }
  bool ended() const { return queue_.ended(); }
  bool lost() const { return lost_; }
  std::int64_t captured() const { return captured_; }
  int restarts() const { return restarts_; }
  bool take(Captured& captured, double timeout_s) { return queue_.take(captured, Seconds(timeout_s)); }

  std::exception_ptr failure() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return failure_;
  }

  std::map<std::string, std::int64_t> dropped() const {
    std::map<std::string, std::int64_t> found;
    if (queue_.dropped() > 0) found["late"] = queue_.dropped();
    if (above_limit_ > 0) found["above --max-fps"] = above_limit_;
    return found;
  }

  bool start(const std::function<bool()>& goes_on) {
    run([this] { open_first(); });
    std::unique_lock<std::mutex> lock(mutex_);
    const double patience = std::max(2 * source_options_.stall_s, LEAST_OPENING_S);
    const Clock::time_point began = Clock::now();
    while (!changed_.wait_for(lock, Seconds(LOOK_S), [this] { return opened_; })) {
      if (!goes_on()) return false;
      if (seconds_between(began, Clock::now()) > patience) {
        throw SourceError(name_ + ": does not open, and does not say why");
      }
    }
    if (first_error_) std::rethrow_exception(first_error_);
    rate_ = first_->rate();
    lock.unlock();
    note_frame();
    begin_thread(std::move(first_));
    if (live_) run([this] { watch(); });
    return true;
  }

  bool close() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    queue_.close();
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, Seconds(CLOSING_S), [this] { return running_ == 0; });
  }

 private:
  // Runs a function in a thread that keeps this object alive.
  template <typename Body>
  void run(Body body) {
    const std::shared_ptr<Work> self = shared_from_this();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++running_;
    }
    std::thread([self, body] {
      body();
      const std::lock_guard<std::mutex> lock(self->mutex_);
      --self->running_;
      self->changed_.notify_all();
    }).detach();
  }

  void open_first() {
    std::exception_ptr error;
    try {
      first_->open();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    first_error_ = error;
    opened_ = true;
    changed_.notify_all();
  }

  // Starts a thread that reads a source, or opens one first.
  void begin_thread(std::unique_ptr<VideoSource> source) {
    const int generation = next_generation();
    const std::shared_ptr<VideoSource> shared(std::move(source));
    ++reading_;
    run([this, shared, generation] {
      read(shared, generation);
      --reading_;
    });
  }

  int next_generation() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ++generation_;
  }

  bool current(int generation) const { return generation == generation_ && !stopping_; }

  // Waits, and returns whether nobody asked to stop.
  bool pause(double seconds) {
    std::unique_lock<std::mutex> lock(mutex_);
    return !changed_.wait_for(lock, Seconds(seconds), [this] { return stopping_.load(); });
  }

  // Reads until the end, through failures.
  void read(std::shared_ptr<VideoSource> source, int generation) {
    double backoff = FIRST_BACKOFF_S;
    while (current(generation)) {
      try {
        if (!source) {
          source = std::make_shared<VideoSource>(address_, source_options_);
          source->open();
        }
        read_open(*source, generation, backoff);
        return;
      } catch (const SourceError& error) {
        if (source) source->close();
        source.reset();
        if (!current(generation)) return;
        if (!live_ || !options_.reconnect) {
          end(std::current_exception());
          return;
        }
        say_lost(error.reason());
        pause(backoff);
        backoff = std::min(2 * backoff, LARGEST_BACKOFF_S);
      } catch (...) {  // thrown again by whoever takes the frames
        if (current(generation)) end(std::current_exception());
        return;
      }
    }
  }

  // Passes frames on until the source fails, comes to its end, or nobody wants more.
  void read_open(VideoSource& source, int generation, double& backoff) {
    Captured captured;
    while (current(generation)) {
      const bool seen = source.read(captured);
      if (!current(generation)) return;
      if (!seen) {
        queue_.close();
        return;
      }
      backoff = FIRST_BACKOFF_S;
      pass_on(captured, source.film_time(), generation);
      captured = Captured();
    }
  }

  void pass_on(Captured& captured, double film_time, int generation) {
    bool came_back = false;
    {
      // The watchdog may have left this thread behind since the frame was read; two threads never pass frames on.
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!current(generation)) return;
      last_frame_ = Clock::now();
      clock_.stamp(captured, film_time);
      ++captured_;
      came_back = lost_.exchange(false);
    }
    if (came_back) {
      ++restarts_;
      notice_(name_ + ": frames come again");
    }
    if (is_above_limit(captured.seconds)) {
      ++above_limit_;
    } else if (!waits_) {
      queue_.put(std::move(captured));
    } else {
      // Told more often than the watchdog looks for silence: it is the decider who is slow, and not the source.
      const Seconds wait(std::min(LONGEST_WAIT_S, source_options_.stall_s / 4));
      while (!queue_.put_when_free(captured, wait) && current(generation) && !queue_.closed()) note_frame();
    }
  }

  // Whether a frame comes too early for --max-fps.
  bool is_above_limit(double seconds) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A tenth of slack, or a camera at exactly the limit would lose every other frame to its jitter.
    const double limit = options_.max_fps;
    if (limit > 0.0 && last_passed_ >= 0.0 && seconds - last_passed_ < 0.9 / limit) return true;
    last_passed_ = seconds;
    return false;
  }

  void note_frame() {
    const std::lock_guard<std::mutex> lock(mutex_);
    last_frame_ = Clock::now();
  }

  double silent_s(Clock::time_point now) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seconds_between(last_frame_, now);
  }

  void say_lost(const std::string& reason) {
    if (!lost_.exchange(true)) notice_(reason + "; trying again");
  }

  void end(std::exception_ptr error) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      failure_ = error;
    }
    queue_.close();
  }

  // Leaves a thread behind that gives nothing, and gives up when that was asked for.
  void watch() {
    const double stall = source_options_.stall_s;
    const std::string silence = resemote_tools::format_number("%g", stall) + " s";
    Clock::time_point since = Clock::now();
    while (pause(std::min(0.1, stall / 4)) && !queue_.closed()) {
      const Clock::time_point now = Clock::now();
      const double silent = silent_s(now);
      if (options_.give_up_s > 0.0 && silent > options_.give_up_s) {
        end(std::make_exception_ptr(SourceError(
            name_ + ": no frame for " + resemote_tools::format_number("%g", options_.give_up_s) + " s")));
      } else if (options_.reconnect && std::min(silent, seconds_between(since, now)) > stall) {
        since = now;
        if (reading_ > MOST_LEFT_BEHIND) continue;
        say_lost(name_ + ": silent for " + silence);
        begin_thread(nullptr);
      } else if (!options_.reconnect && silent > stall) {
        end(std::make_exception_ptr(SourceError(name_ + ": silent for " + silence)));
      }
    }
  }

  const std::string address_;
  const SourceOptions source_options_;
  const ReaderOptions options_;
  const std::function<void(const std::string&)> notice_;
  std::unique_ptr<VideoSource> first_;
  const std::string name_;
  const bool live_;
  const bool waits_;
  double rate_ = 0.0;
  FrameClock clock_;
  NewestQueue<Captured> queue_;
  std::atomic<int> generation_{0};
  std::atomic<std::ptrdiff_t> reading_{0};
  std::atomic<std::int64_t> captured_{0};
  std::atomic<std::int64_t> above_limit_{0};
  std::atomic<int> restarts_{0};
  std::atomic<bool> lost_{false};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  double last_passed_ = -1.0;
  std::condition_variable changed_;
  int running_ = 0;
  bool opened_ = false;
  std::exception_ptr first_error_;
  std::exception_ptr failure_;
  Clock::time_point last_frame_;
};

FrameReader::FrameReader(const std::string& address, const SourceOptions& source, const ReaderOptions& options,
                         std::function<void(const std::string&)> notice)
    : work_(std::make_shared<Work>(address, source, options, std::move(notice))) {}

FrameReader::~FrameReader() { work_->close(); }

const std::string& FrameReader::name() const { return work_->name(); }
bool FrameReader::live() const { return work_->live(); }
double FrameReader::rate() const { return work_->rate(); }
bool FrameReader::start(const std::function<bool()>& goes_on) { return work_->start(goes_on); }
bool FrameReader::take(Captured& captured, double timeout_s) { return work_->take(captured, timeout_s); }
bool FrameReader::ended() const { return work_->ended(); }
bool FrameReader::lost() const { return work_->lost(); }
std::exception_ptr FrameReader::failure() const { return work_->failure(); }
std::int64_t FrameReader::captured() const { return work_->captured(); }
std::map<std::string, std::int64_t> FrameReader::dropped() const { return work_->dropped(); }
int FrameReader::restarts() const { return work_->restarts(); }
bool FrameReader::close() { return work_->close(); }

}  // namespace resemote_camera
