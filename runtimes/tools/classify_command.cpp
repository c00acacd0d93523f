// `resemote classify`: the expression of the face in a picture.
#include <algorithm>
#include <numeric>

#include "command.h"
#include "errors.h"
#include "network.h"
#include "options.h"
#include "pictures/picture.h"
#include "session_choice.h"
#include "terminal.h"

namespace resemote_tools {
namespace {

constexpr std::size_t SHOWN = 3;

const Usage& usage() {
  static const std::string text =
      "Classify the expression of the face in each PICTURE.\n\n"
      "A picture is a face that is cut out already, or --box says where the face is. The command shows the three most "
      "likely classes of each picture. This program reads " + picture_formats() + ".";
  static const Usage usage = {
      "classify", "ARTIFACT PICTURE...", text.c_str(),
      "resemote classify artifacts/resemotenet-xs-fer2013-onnx-fp32 face.ppm\n"
      "resemote classify artifacts/resemotenet-xs-fer2013-onnx-fp32 group.ppm --box 400,120,180,180 --json",
      with_session_options({{"box", 0, "X,Y,W,H", nullptr,
                             "Box of the face, in pixels: its left, its top, its width and its height. [default: the "
                             "whole picture]"}})};
  return usage;
}

// Reads "X,Y,W,H".
resemote_box parse_box(const std::string& text) {
  resemote_box box = {};
  char rest = '\0';
  if (std::sscanf(text.c_str(), "%9d,%9d,%9d,%9d%c", &box.x, &box.y, &box.width, &box.height, &rest) != 4) {
    throw UsageError("--box: '" + text + "' is no box, such as 400,120,180,180");
  }
  return box;
}

std::string line_of(const std::string& path, const std::vector<std::string>& labels, const std::vector<float>& shares) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return shares[a] > shares[b]; });
  std::string line = path + ":";
  for (std::size_t i = 0; i < std::min(SHOWN, order.size()); ++i) {
    line += (i == 0 ? " " : ", ") + labels[order[i]] + format_number(" %.1f %%", shares[order[i]] * 100.0);
  }
  return line;
}

}  // namespace

int classify_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const bool boxed = options.has("box");
  const resemote_box given = boxed ? parse_box(options.text("box")) : resemote_box();
  const SessionChoice choice(options);
  Network network(options.argument(0), choice.options(), 1);
  std::vector<std::uint8_t> feed(network.feed_bytes());
  std::vector<float> shares(network.classes());
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 1; i < options.arguments().size(); ++i) {
    const std::string& path = options.argument(i);
    const Picture picture = read_picture(path);
    const resemote_box box = boxed ? given : resemote_box{0, 0, picture.width, picture.height};
    try {
      network.preprocess(picture.frame(), {box}, feed.data());
    } catch (const resemote::Failure& error) {
      throw ToolError(path + ": " + error.what());
    }
    network.infer(feed.data(), 1, shares.data());
    network.decide(shares.data(), 1);
    if (!options.json()) {
      print_line(line_of(path, network.labels(), shares));
      continue;
    }
    nlohmann::json probabilities;
    for (std::size_t label = 0; label < shares.size(); ++label) probabilities[network.labels()[label]] = shares[label];
    const std::size_t best = best_of(shares.data(), shares.size());
    rows.push_back({{"image", path},
                    {"label", network.labels()[best]},
                    {"score", shares[best]},
                    {"probabilities", probabilities},
                    {"artifact", network.info().artifact_name},
                    {"backend", network.info().backend},
                    {"device", network.info().device}});
  }
  if (options.json()) print_json(rows);
  return EXIT_OK;
}

}  // namespace resemote_tools
