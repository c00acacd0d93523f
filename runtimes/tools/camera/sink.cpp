#include "sink.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "../errors.h"
#include "captured.h"
#include "newest_queue.h"

namespace resemote_camera {
namespace {

using resemote_tools::ToolError;
using Seconds = std::chrono::duration<double>;

// Time that a sink has for what waits when the run ends.
constexpr double END_S = 5.0;

// Time that a sink without room may take for one item before nobody waits for it any more.
constexpr double PATIENCE_S = 10.0;

// Time between two looks at whether the run goes on.
constexpr double LOOK_S = 0.1;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

std::unique_ptr<Sink> open_sink(const std::string& address, Existing existing) {
  if (address.compare(0, 6, "jsonl:") == 0) return open_line_sink(address, existing);
  if (ends_with(address, ".avi")) return open_film_sink(address, existing);
  throw ToolError("no sink has the address '" + address + "'", "there are jsonl:-, jsonl:FILE and FILE.avi");
}

class SinkWorker::Work : public std::enable_shared_from_this<SinkWorker::Work> {
 public:
  Work(const std::string& named, std::unique_ptr<Sink> sink, bool waits)
      : address(named), sink_(std::move(sink)), takes_pictures_(sink_->wants_pictures()), waits_(waits),
        queue_(sink_->queue_length()) {}

  void begin() {
    const std::shared_ptr<Work> self = shared_from_this();
    std::thread([self] { self->work(); }).detach();
  }

  void put(const SinkItem& item, const std::function<bool()>& goes_on) {
    if (ended_) return;
    SinkItem kept;  // without what the sink does not take: many of them may wait, and pictures are large
    kept.seconds = item.seconds;
    if (takes_pictures_) {
      kept.picture = item.picture;
    } else {
      kept.line = item.line;
    }
    if (waits_ && !stuck_) {
      const Clock::time_point began = Clock::now();
      while (goes_on() && !stuck_) {
        if (queue_.put_when_free(kept, Seconds(LOOK_S)) || ended_) return;
        stuck_ = seconds_between(began, Clock::now()) > PATIENCE_S;
      }
    }
    if (queue_.put(std::move(kept))) lose("late");
  }

  bool close() {
    queue_.close();
    std::unique_lock<std::mutex> lock(mutex_);
    if (changed_.wait_for(lock, Seconds(END_S), [this] { return done_; })) return true;
    lost_["waiting at the end"] += static_cast<std::int64_t>(queue_.size()) + 1;
    unfinished_ = "it still had not taken all results after " + std::to_string(static_cast<int>(END_S)) + " s";
    return false;
  }

  bool ended() const { return ended_; }
  std::int64_t written() const { return written_; }
  Counts lost() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lost_;
  }
  std::string unfinished() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return unfinished_;
  }

  const std::string address;

 private:
  void lose(const std::string& reason) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++lost_[reason];
  }

  void work() {
    SinkItem item;
    while (!queue_.ended() && !ended_) {
      if (!queue_.take(item, Seconds(1.0))) continue;
      stuck_ = false;
      try {
        if (sink_->write(item)) {
          ++written_;
        } else {
          ended_ = true;
        }
      } catch (const std::exception& error) {
        lose(error.what());
      }
      item = SinkItem();
    }
    std::string failure;
    try {
      sink_->finish();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    unfinished_ = failure;
    done_ = true;
    changed_.notify_all();
  }

  std::unique_ptr<Sink> sink_;
  const bool takes_pictures_;
  const bool waits_;
  NewestQueue<SinkItem> queue_;
  std::atomic<bool> stuck_{false};  // whether it was waited for in vain, and took nothing since
  std::atomic<bool> ended_{false};
  std::atomic<std::int64_t> written_{0};
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Counts lost_;
  std::string unfinished_;
  bool done_ = false;
};

SinkWorker::SinkWorker(const std::string& address, std::unique_ptr<Sink> sink, bool waits)
    : work_(std::make_shared<Work>(address, std::move(sink), waits)) {
  work_->begin();
}

void SinkWorker::put(const SinkItem& item, const std::function<bool()>& goes_on) { work_->put(item, goes_on); }
bool SinkWorker::ended() const { return work_->ended(); }
bool SinkWorker::close() { return work_->close(); }
const std::string& SinkWorker::address() const { return work_->address; }
std::int64_t SinkWorker::written() const { return work_->written(); }
Counts SinkWorker::lost() const { return work_->lost(); }
std::string SinkWorker::unfinished() const { return work_->unfinished(); }

}  // namespace resemote_camera
