// `resemote eval`: the accuracy of an artifact over one packed split of a dataset.
#include <algorithm>
#include <cstdio>

#include "command.h"
#include "errors.h"
#include "evaluation/evaluate.h"
#include "file.h"
#include "options.h"
#include "passport.h"
#include "progress.h"
#include "session_choice.h"
#include "signals.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

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

}  // namespace

int eval_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const std::string predictions = options.text("predictions");
  if (options.has("predictions")) check_output(predictions, options.has("force"));
  const CropsFile crops(options.argument(1));
  const SessionChoice choice(options);
  Network network(options.argument(0), choice.options(), EVALUATION_BATCH);
  Accuracy accuracy(network.labels());
  std::string csv;
  {
    const StopRequest stop;
    Progress progress("images", crops.size());
    evaluate(network, crops, accuracy, options.has("predictions") ? &csv : nullptr, [&](std::size_t done) {
      stop.check();
      progress.update(done);
    });
  }
  nlohmann::json report = accuracy_report(accuracy, crops);
  const resemote_session_info& info = network.info();
  report.update({{"artifact", info.artifact_name},
                 {"backend", info.backend},
                 {"device", info.device},
                 {"file", info.file},
                 {"file_sha256", file_entry(read_passport(options.argument(0)), info.file).at("sha256")}});
  if (options.json()) {
    print_json(report);
  } else {
    print_report(report);
  }
  if (options.has("predictions")) write_whole_file(predictions, csv);
  return EXIT_OK;
}

}  // namespace resemote_tools
