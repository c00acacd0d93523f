// Energy: what a run takes, from the INA3221 power monitors of a Jetson module, in the layouts of JetPack 5 and later
// (hwmon) and JetPack 4 (iio). The same definitions as in resemote_edge/machine/energy/.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "machine/system.h"

namespace resemote_tools {

// One rail of one chip: the product of millivolts and milliamperes, or milliwatts if `amperes` is empty.
struct Rail {
  std::string name;
  std::string volts;
  std::string amperes;
  bool in_total = false;
};

class PowerMonitor {
 public:
  // Looks for chips. If there are none that can be read, why() says so.
  explicit PowerMonitor(const System& system);

  bool found() const noexcept { return why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  const std::vector<Rail>& rails() const noexcept { return rails_; }
  double interval_s() const noexcept { return interval_s_; }
  double min_seconds() const noexcept { return 10 * interval_s_; }
  // Watts of every rail, now. Throws ToolError if a file cannot be read any more.
  std::vector<double> read() const;

 private:
  void add_rails(const std::string& chip);

  System system_;
  std::vector<Rail> rails_;
  std::string why_;
  double interval_s_ = 0.01;
};

// A thread that reads a monitor from its making to `stop`.
class EnergyRecorder {
 public:
  explicit EnergyRecorder(const PowerMonitor& monitor);
  ~EnergyRecorder();
  EnergyRecorder(const EnergyRecorder&) = delete;
  EnergyRecorder& operator=(const EnergyRecorder&) = delete;

  void stop();
  double seconds() const noexcept { return seconds_; }
  double joules() const;  // of the rails in the total
  // Why the recording cannot be trusted; "" if it can.
  std::string why_not_trusted() const;
  // The record of a report: energy of `inferences` images above `idle_watts`, or the reason why it is not known.
  nlohmann::json result(long long inferences, const Maybe<double>& idle_watts) const;

 private:
  void end_thread();
  void sample();
  void watch();

  const PowerMonitor& monitor_;
  std::vector<double> joules_, before_;
  double seconds_ = 0.0, time_ = 0.0;
  std::size_t readings_ = 0;
  std::string failure_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

nlohmann::json not_measured(const std::string& reason);

}  // namespace resemote_tools
