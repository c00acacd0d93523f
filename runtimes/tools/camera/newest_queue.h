// NewestQueue: the newest frame wins. The Python counterpart is camera/queue.py.
//
// A camera does not wait. Whoever decides more slowly than frames come must drop some, and should drop the oldest: a
// backlog would only make every later decision old.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace resemote_camera {

// A queue of bounded length. Any threads may put and take.
template <typename Item>
class NewestQueue {
 public:
  using Timeout = std::chrono::duration<double>;

  explicit NewestQueue(std::size_t length) : length_(length) {}

  // Adds an item, and drops the oldest one if there is no room. Never waits. Returns whether an item was dropped; after
  // close, the item itself is.
  bool put(Item item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool drops = closed_ || items_.size() >= length_;
    if (drops) ++dropped_;
    if (closed_) return true;
    if (drops) items_.pop_front();
    items_.push_back(std::move(item));
    changed_.notify_all();
    return drops;
  }

  // Adds an item once there is room: for a film, whose frames must all be seen. Returns whether it was added.
  bool put_when_free(Item& item, Timeout timeout) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return closed_ || items_.size() < length_; });
    if (closed_ || items_.size() >= length_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  // Removes the oldest item that is left. Returns false if there was none in time, or the queue is closed and empty.
  bool take(Item& item, Timeout timeout) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return false;
    item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return true;
  }

  // Lets nothing more in, and wakes whoever waits; what is in it can still be taken.
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  bool closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

  // Whether no item is left and none will come.
  bool ended() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_ && items_.empty();
  }

  std::size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return items_.size();
  }

  // Number of items that a newer one pushed out, or that came after close.
  std::int64_t dropped() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return dropped_;
  }

 private:
  const std::size_t length_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  std::int64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace resemote_camera
