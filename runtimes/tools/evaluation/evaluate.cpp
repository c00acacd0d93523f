#include "evaluation/evaluate.h"

#include <algorithm>

#include "errors.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

// Index in the artifact's labels of each label of the file.
std::vector<std::size_t> matched(const CropsFile& crops, const std::vector<std::string>& labels) {
  std::vector<std::size_t> places;
  for (const std::string& label : crops.labels()) {
    const auto found = std::find(labels.begin(), labels.end(), label);
    if (found == labels.end()) {
      throw ToolError(crops.dataset() + ": its class " + label + " is not one of the network's classes",
                      "pass data of the network's classes");
    }
    places.push_back(static_cast<std::size_t>(found - labels.begin()));
  }
  return places;
}

// A field of CSV; names of classes may hold anything.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void evaluate(Network& network, const CropsFile& crops, Accuracy& accuracy, std::string* csv,
              const std::function<void(std::size_t)>& done) {
  const std::vector<std::size_t> places = matched(crops, network.labels());
  const std::size_t image_bytes = static_cast<std::size_t>(crops.width()) * static_cast<std::size_t>(crops.height());
  std::vector<std::uint8_t> pixels(image_bytes * EVALUATION_BATCH), feed(network.feed_bytes() * EVALUATION_BATCH);
  std::vector<float> outputs(network.classes() * EVALUATION_BATCH);
  if (csv != nullptr) *csv = "image,class,predicted,confidence\n";
  for (std::size_t first = 0; first < crops.size(); first += EVALUATION_BATCH) {
    const std::size_t count = std::min(EVALUATION_BATCH, crops.size() - first);
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
      if (csv == nullptr) continue;
      *csv += std::to_string(first + i) + "," + csv_field(network.labels()[truth]) + "," +
              csv_field(network.labels()[predicted]) + "," + format_number("%.6f", row[predicted]) + "\n";
    }
    done(first + count);
  }
}

nlohmann::json accuracy_report(const Accuracy& accuracy, const CropsFile& crops) {
  nlohmann::json report = accuracy.to_json(crops.marks_copies());
  report["dataset"] = crops.dataset();
  report["dataset_sha256"] = crops.dataset_sha256();
  return report;
}

}  // namespace resemote_tools
