// Sink: where the results of a run go, and the worker that gives them to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>

#include "results.h"

namespace resemote_camera {

enum class Existing { REFUSE, REPLACE, APPEND };  // what becomes of a file that is there

// What one frame gives.
struct SinkItem {
  std::string line;     // of JSON, without a line feed; empty if no sink takes lines
  cv::Mat picture;      // annotated; empty if nobody takes pictures
  double seconds = 0.0; // time of the frame
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Whether it takes pictures; if not, it takes lines.
  virtual bool wants_pictures() const = 0;
  // Number of items that may wait for it; pictures are large.
  virtual std::size_t queue_length() const = 0;
  // Told before the first write: frames a second of the source; 0 if it does not say.
  virtual void begin(double rate) = 0;
  // Returns false if nobody reads it any more. Throws ToolError if the item cannot be written.
  virtual bool write(const SinkItem& item) = 0;
  // Puts in order what was written. Throws ToolError if it cannot.
  virtual void finish() = 0;
};

// Opens a sink by its address: jsonl:FILE, jsonl:- or FILE.avi. Throws ToolError if it names none, or cannot be written.
std::unique_ptr<Sink> open_sink(const std::string& address, Existing existing);
std::unique_ptr<Sink> open_line_sink(const std::string& address, Existing existing);
std::unique_ptr<Sink> open_film_sink(const std::string& address, Existing existing);

// Writes to a sink in a thread of its own, so that a slow one does not delay the frames.
class SinkWorker {
 public:
  // `waits`: whether `put` waits for room as long as the sink gets on, as for a film, instead of dropping the oldest item.
  SinkWorker(const std::string& address, std::unique_ptr<Sink> sink, bool waits);
  SinkWorker(SinkWorker&&) = default;

  // Queues what the sink takes of an item. `goes_on`: asked while it waits for room; once false, nothing is waited for.
  void put(const SinkItem& item, const std::function<bool()>& goes_on);
  // Whether nobody reads the sink any more.
  bool ended() const;
  // Writes what waits, for a few seconds at most. Returns whether the thread ended; if not, it hangs in the sink.
  bool close();

  const std::string& address() const;
  std::int64_t written() const;
  Counts lost() const;  // items that were not written, by reason
  // What went wrong at the end; "" if it ended well.
  std::string unfinished() const;

 private:
  class Work;
  std::shared_ptr<Work> work_;  // shared with its thread
};

}  // namespace resemote_camera
