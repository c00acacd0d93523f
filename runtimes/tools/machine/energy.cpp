#include "machine/energy.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "errors.h"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

const std::string HWMON = "sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*";
const std::string IIO = "sys/bus/i2c/drivers/ina3221x/*/iio:device*";
constexpr int CHANNELS = 3;  // names above these are shunts and their sum
constexpr double SAMPLE_INTERVAL_S = 0.01;
constexpr std::size_t MIN_SAMPLES = 10;

// Rails that together are the whole of a module; the table of resemote_edge/machine/energy/jetson_rails.py.
const std::vector<std::vector<std::string>>& board_totals() {
  static const std::vector<std::vector<std::string>> totals = {
      {"POM_5V_IN"},                                      // Nano
      {"VDD_IN"},                                         // Orin Nano, Orin NX, Xavier NX, TX2, TX2 NX, TX1
      {"5V_IN"},                                          // Xavier NX, as the guide of JetPack 4 names it
      {"GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"},      // AGX Xavier
      {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"},       // AGX Orin
      {"VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0"},      // AGX Thor
  };
  return totals;
}

bool is_connected(const std::string& name) { return !name.empty() && name != "NC"; }

double required(const System& system, const std::string& file) {
  const Maybe<long long> value = system.integer(file);
  if (!value) {
    throw ToolError(system.path(file) + " cannot be read, or holds no number",
                    "run as root, or let root allow it until the next boot: sudo chmod a+r " + system.path(file));
  }
  return static_cast<double>(*value);
}

double watts_of(const System& system, const Rail& rail) {
  const double first = required(system, rail.volts);
  return rail.amperes.empty() ? first / 1e3 : first * required(system, rail.amperes) / 1e6;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

PowerMonitor::PowerMonitor(const System& system) : system_(system) {
  std::vector<std::string> chips = system.matches(HWMON);
  const std::vector<std::string> older = system.matches(IIO);
  chips.insert(chips.end(), older.begin(), older.end());
  if (chips.empty()) {
    why_ = "there is no " + system.path(HWMON) + " and no " + system.path(IIO) +
           ": only Jetson modules have this power monitor, and the Nano of 2 GB lacks it; in a container, /sys of the "
           "host must be visible";
    return;
  }
  interval_s_ = SAMPLE_INTERVAL_S;
  for (const std::string& chip : chips) {
    add_rails(chip);
    interval_s_ = std::max(interval_s_, static_cast<double>(system.integer(chip + "/update_interval").otherwise(0)) / 1e3);
  }
  std::string failures;
  std::set<std::string> names;
  for (auto rail = rails_.begin(); rail != rails_.end();) {
    try {
      watts_of(system_, *rail);
      names.insert(rail->name);
      ++rail;
    } catch (const ToolError& error) {
      failures += std::string("; ") + error.what();
      rail = rails_.erase(rail);
    }
  }
  for (const std::vector<std::string>& total : board_totals()) {
    if (!std::all_of(total.begin(), total.end(), [&](const std::string& name) { return names.count(name) != 0; })) continue;
    for (Rail& rail : rails_) rail.in_total = std::find(total.begin(), total.end(), rail.name) != total.end();
    return;
  }
  const std::string listed = joined({names.begin(), names.end()});
  why_ = "of the rails " + (listed.empty() ? "(none can be read)" : listed) +
         " it is not known which are the whole board" + failures;
}

void PowerMonitor::add_rails(const std::string& chip) {
  const bool iio = last_part(chip).compare(0, 3, "iio") == 0;
  for (int channel = 0; channel < CHANNELS; ++channel) {
    Rail rail;
    if (iio) {
      const std::string number = std::to_string(channel);
      rail.name = system_.text(chip + "/rail_name_" + number);
      rail.volts = chip + "/in_power" + number + "_input";
      if (!system_.exists(rail.volts)) {
        rail.volts = chip + "/in_voltage" + number + "_input";
        rail.amperes = chip + "/in_current" + number + "_input";
      }
    } else {
      const std::string number = std::to_string(channel + 1);
      if (system_.integer(chip + "/in" + number + "_enable").otherwise(1) == 0) continue;
      rail.name = system_.text(chip + "/in" + number + "_label");
      rail.volts = chip + "/in" + number + "_input";
      rail.amperes = chip + "/curr" + number + "_input";
    }
    if (is_connected(rail.name)) rails_.push_back(rail);
  }
}

std::vector<double> PowerMonitor::read() const {
  std::vector<double> watts;
  for (const Rail& rail : rails_) watts.push_back(watts_of(system_, rail));
  return watts;
}

EnergyRecorder::EnergyRecorder(const PowerMonitor& monitor) : monitor_(monitor), joules_(monitor.rails().size()) {
  sample();
  thread_ = std::thread(&EnergyRecorder::watch, this);
}

EnergyRecorder::~EnergyRecorder() { end_thread(); }

void EnergyRecorder::end_thread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EnergyRecorder::stop() {
  end_thread();
  sample();
}

void EnergyRecorder::sample() {
  if (!failure_.empty()) return;
  const double begun = now_s();
  std::vector<double> watts;
  try {
    watts = monitor_.read();
  } catch (const std::exception& error) {  // any: this runs in a thread, where nobody else would catch it
    failure_ = error.what();
    return;
  }
  // Reading takes a while over I2C: the value belongs to the middle of it.
  const double time = (begun + now_s()) / 2;
  if (readings_ > 0) {
    const double step = time - time_;
    for (std::size_t i = 0; i < joules_.size(); ++i) joules_[i] += step * (before_[i] + watts[i]) / 2;
    seconds_ += step;
  }
  time_ = time;
  before_ = watts;
  ++readings_;
}

void EnergyRecorder::watch() {
  const auto interval = std::chrono::duration<double>(monitor_.interval_s());
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_changed_.wait_for(lock, interval, [this] { return ended_; })) {
    lock.unlock();
    sample();
    lock.lock();
  }
}

double EnergyRecorder::joules() const {
  double sum = 0.0;
  for (std::size_t i = 0; i < joules_.size(); ++i) sum += monitor_.rails()[i].in_total ? joules_[i] : 0.0;
  return sum;
}

std::string EnergyRecorder::why_not_trusted() const {
  if (!failure_.empty()) return "ina3221 failed during the run: " + failure_;
  if (seconds_ < monitor_.min_seconds()) {
    return format_number("a run of %.3f s is too short for ina3221, which needs ", seconds_) +
           format_number("%g s; let more calls be made", monitor_.min_seconds());
  }
  if (readings_ < MIN_SAMPLES) {
    return "ina3221 was read " + std::to_string(readings_) + " times, " + std::to_string(MIN_SAMPLES) +
           " are needed; let the run last longer, or leave the machine a core that is free";
  }
  return joules() > 0.0 ? "" : "ina3221 did not count anything; let the run last longer";
}

nlohmann::json EnergyRecorder::result(long long inferences, const Maybe<double>& idle_watts) const {
  const std::string reason = why_not_trusted();
  if (!reason.empty()) return not_measured(reason);
  nlohmann::json rails = nlohmann::json::array();
  for (std::size_t i = 0; i < joules_.size(); ++i) {
    const Rail& rail = monitor_.rails()[i];
    rails.push_back({{"rail", rail.name}, {"joules", joules_[i]}, {"in_total", rail.in_total}});
  }
  const double runs = static_cast<double>(std::max(inferences, 1LL));
  Maybe<double> above;
  if (idle_watts) above = (joules() - *idle_watts * seconds_) / runs;
  return {{"state", "measured"},
          {"sensor", "ina3221"},
          {"rails", rails},
          {"seconds", seconds_},
          {"joules", joules()},
          {"watts", joules() / seconds_},
          {"idle_watts", idle_watts},
          {"joules_per_inference", above},
          {"joules_per_inference_with_idle", joules() / runs},
          {"sample_rate_hz", static_cast<double>(readings_ - 1) / seconds_}};
}

nlohmann::json not_measured(const std::string& reason) { return {{"state", "not measured"}, {"reason", reason}}; }

}  // namespace resemote_tools
