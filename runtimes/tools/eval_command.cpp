// `resemote eval`: the accuracy of an artifact over one packed split of a dataset.
#include <algorithm>
#include <cstdio>

#include "evaluation/accuracy.h"
#include "command.h"
#include "evaluation/crops_file.h"
#include "errors.h"
#include "file.h"
#include "network.h"
#include "options.h"
#include "passport.h"
#include "progress.h"
#include "session_choice.h"
#include "signals.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

constexpr std::size_t BATCH = 32;  // as in resemote-edge: batches of another size may round differently

const Usage& usage() {
  static const Usage usage = {
      "eval", "ARTIFACT CROPS",
      "Measure the accuracy of ARTIFACT on a split of a dataset.\n\n"
      "CROPS is a file that 'resemote-edge data pack' wrote on another machine. The command shows the accuracy with its "
      "95 % interval, the accuracy without images that are also in the training split, the recall of each class and the "
      "calibration error. They are the same as those of 'resemote-edge eval' on the same engine.",
      "resemote eval artifacts/resemotenet-xs-fer2013-onnx-int8 test.crops\n"
      "resemote eval artifacts/resemotenet-xs-fer2013-onnx-int8 test.crops --json --predictions predictions.csv",
      with_session_options(
          {{"predictions", 0, "FILE", nullptr, "CSV file for the class and the prediction of each image."},
           {"force", 0, nullptr, nullptr, "Replace the file of --predictions."}})};
  return usage;
}

// Index in the artifact's labels of each label of the file.
std::vector<std::size_t> matched(const CropsFile& crops, const std::vector<std::string>& labels) {
  std::vector<std::size_t> places;
  for (const std::string& label : crops.labels()) {
    const auto found = std::find(labels.begin(), labels.end(), label);
    if (found == labels.end()) {
      throw ToolError(crops.dataset() + ": its class " + label + " is none of the network's classes",
                      "pass data of the network's classes");
    }
    places.push_back(static_cast<std::size_t>(found - labels.begin()));
  }
  return places;
}

void print_report(const nlohmann::json& report) {
  const auto percent = [](const nlohmann::json& value) { return format_number("%.2f %%", value.get<double>() * 100.0); };
  std::vector<std::vector<std::string>> rows = {
      {"artifact", report.at("artifact").get<std::string>()},
      {"ran", report.at("file").get<std::string>() + " in " + report.at("backend").get<std::string>() + " on " +
                  report.at("device").get<std::string>()},
      {"images", std::to_string(report.at("samples").get<std::size_t>()) + " of " +
                     report.at("dataset").get<std::string>()},
      {"accuracy", percent(report.at("accuracy")) + " (95 % interval " +
                       percent(report.at("accuracy_interval_95").at(0)) + " to " +
                       percent(report.at("accuracy_interval_95").at(1)) + ")"},
  };
  if (!report.at("accuracy_without_train_duplicates").is_null()) {
    rows.push_back({"without copies of training images",
                    percent(report.at("accuracy_without_train_duplicates")) + " of " +
                        std::to_string(report.at("samples_without_train_duplicates").get<std::size_t>()) + " images"});
  }
  rows.push_back({"calibration error", format_number("%.4f", report.at("ece").get<double>())});
  for (const nlohmann::json& label : report.at("labels")) {
    rows.push_back({"recall of " + label.get<std::string>(), percent(report.at("recall").at(label.get<std::string>()))});
  }
  print_table(rows);
}

// A field of CSV; names of classes may hold anything.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// Runs all images. Returns their predictions, as lines of CSV.
std::string run(Network& network, const CropsFile& crops, Accuracy& accuracy) {
  const std::vector<std::size_t> places = matched(crops, network.labels());
  const std::size_t image_bytes = static_cast<std::size_t>(crops.width()) * static_cast<std::size_t>(crops.height());
  std::vector<std::uint8_t> pixels(image_bytes * BATCH), feed(network.feed_bytes() * BATCH);
  std::vector<float> outputs(network.classes() * BATCH);
  std::string csv = "image,class,predicted,confidence\n";
  const StopRequest stop;
  Progress progress("images", crops.size());
  for (std::size_t first = 0; first < crops.size(); first += BATCH) {
    stop.check();
    const std::size_t count = std::min(BATCH, crops.size() - first);
    crops.read(first, count, pixels.data());
    // The images are one below the other, so that a batch of them is one frame.
    const resemote_frame frame = resemote::frame_of(RESEMOTE_PIXEL_GRAY8, crops.width(),
                                                    crops.height() * static_cast<int>(count), pixels.data());
    std::vector<resemote_box> boxes;
    for (std::size_t i = 0; i < count; ++i) {
      boxes.push_back({0, crops.height() * static_cast<int>(i), crops.width(), crops.height()});
    }
    network.preprocess(frame, boxes, feed.data());
    network.infer(feed.data(), count, outputs.data());
    for (std::size_t i = 0; i < count; ++i) {
      float* const row = outputs.data() + network.classes() * i;
      const std::size_t predicted = best_of(row, network.classes());
      network.decide(row, 1);
      const std::size_t truth = places[crops.target(first + i)];
      accuracy.add(truth, predicted, row[predicted], crops.is_copy(first + i));
      csv += std::to_string(first + i) + "," + csv_field(network.labels()[truth]) + "," +
             csv_field(network.labels()[predicted]) + "," + format_number("%.6f", row[predicted]) + "\n";
    }
    progress.update(first + count);
  }
  return csv;
}

}  // namespace

int eval_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const std::string predictions = options.text("predictions");
  if (options.has("predictions")) refuse_existing(predictions, options.has("force"));
  const CropsFile crops(options.argument(1));
  SessionChoice choice(options);
  choice.keep_engines_of(options.argument(0));
  Network network(options.argument(0), choice.options(), BATCH);
  Accuracy accuracy(network.labels());
  const std::string csv = run(network, crops, accuracy);
  nlohmann::json report = accuracy.to_json(crops.marks_copies());
  const resemote_session_info& info = network.info();
  report.update({{"artifact", info.artifact_name},
                 {"backend", info.backend},
                 {"device", info.device},
                 {"file", info.file},
                 {"file_sha256", file_entry(read_passport(options.argument(0)), info.file).at("sha256")},
                 {"dataset", crops.dataset()},
                 {"dataset_sha256", crops.dataset_sha256()}});
  if (options.has("predictions")) write_whole_file(predictions, csv);
  if (options.json()) {
    print_json(report);
  } else {
    print_report(report);
  }
  return EXIT_OK;
}

}  // namespace resemote_tools
