#include "options.h"

#include <getopt.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "errors.h"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

constexpr std::size_t LINE_WIDTH = 100;
constexpr int FIRST_NUMBER = 256;  // of long options: above all letters

std::vector<Option> all_options(const Usage& usage) {
  std::vector<Option> options = usage.options;
  options.push_back({"json", 0, nullptr, nullptr, "Print JSON instead of text."});
  options.push_back({"help", 'h', nullptr, nullptr, "Show this message and exit."});
  return options;
}

// Lines of a paragraph, broken between words, each after `indent` spaces.
std::string filled(const std::string& text, std::size_t indent) {
  std::string result;
  std::string line(indent, ' ');
  bool empty = true;
  for (const std::string& word : words_of(text)) {
    if (!empty && line.size() + 1 + word.size() > LINE_WIDTH) {
      result += line + "\n";
      line.assign(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  return empty ? result : result + line + "\n";
}

// Why getopt_long does not take a word.
std::string why_unknown(const std::string& word, const std::vector<Option>& options) {
  const std::string name = word.compare(0, 2, "--") == 0 ? word.substr(2, word.find('=') - 2) : "";
  std::vector<std::string> begin_so;
  for (const Option& option : options) {
    if (name.empty() || std::string(option.name).compare(0, name.size(), name) != 0) continue;
    begin_so.push_back(std::string("--") + option.name);
  }
  if (begin_so.empty()) return "there is no option '" + word + "'";
  if (begin_so.size() == 1) return "option " + begin_so.front() + " takes no value";
  return "option '" + word + "' could be any of " + joined(begin_so);
}

std::string left_column(const Option& option) {
  std::string text = option.letter != 0 ? std::string("-") + option.letter + ", " : "";
  text += std::string("--") + option.name;
  if (option.value != nullptr) text += std::string(" ") + option.value;
  return text;
}

void print_help(const Usage& usage) {
  const std::string name = std::string("resemote ") + usage.command;
  print_line("Usage: " + name + " [OPTIONS] " + usage.arguments + "\n");
  std::istringstream text(usage.text);
  std::string paragraph;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) {
      paragraph += line + " ";
      continue;
    }
    print_line(filled(paragraph, 2));
    paragraph.clear();
  }
  print_line(filled(paragraph, 2));
  print_line("  Example:");
  std::istringstream example(usage.example);
  for (std::string line; std::getline(example, line);) print_line("    " + line);
  print_line("\nOptions:");
  std::size_t width = 0;
  const std::vector<Option> options = all_options(usage);
  for (const Option& option : options) width = std::max(width, left_column(option).size());
  for (const Option& option : options) {
    std::string help = option.help;
    if (option.default_value != nullptr) help += std::string(" [default: ") + option.default_value + "]";
    std::string lines = filled(help, width + 4);
    const std::string left = "  " + left_column(option);
    lines.replace(0, left.size(), left);
    lines.pop_back();
    print_line(lines);
  }
}

}  // namespace

Options::Options(const Usage& usage, int argc, char** argv) {
  for (const Option& option : usage.options) {
    if (option.default_value != nullptr) defaults_[option.name] = option.default_value;
  }
  read(usage, argc, argv);
  if (has("help")) {
    wants_help_ = true;
    print_help(usage);
    return;
  }
  check_arguments(usage);
}

void Options::read(const Usage& usage, int argc, char** argv) {
  const std::vector<Option> options = all_options(usage);
  std::vector<option> longs;
  std::string shorts = ":";  // a missing value is told apart, and getopt prints nothing
  for (const Option& one : options) {
    // With the same number, getopt_long takes the first of several that begin so for all of them.
    const int number = FIRST_NUMBER + static_cast<int>(longs.size());
    longs.push_back({one.name, one.value == nullptr ? no_argument : required_argument, nullptr, number});
    if (one.letter == 0) continue;
    shorts += one.letter;
    if (one.value != nullptr) shorts += ':';
  }
  longs.push_back({nullptr, 0, nullptr, 0});
  opterr = 0;
  optind = 1;
  for (;;) {
    const int found = getopt_long(argc, argv, shorts.c_str(), longs.data(), nullptr);
    if (found == -1) break;
    // Within a word of several letters, optind is still at that word.
    std::string word = optind > 1 ? argv[optind - 1] : "";
    if (found == '?' && optopt != 0 && optopt < FIRST_NUMBER) word = std::string("-") + static_cast<char>(optopt);
    if (found == ':') throw UsageError("option '" + word + "' needs a value");
    if (found == '?') throw UsageError(why_unknown(word, options));
    const auto one = found >= FIRST_NUMBER ? options.begin() + (found - FIRST_NUMBER)
                                : std::find_if(options.begin(), options.end(),
                                               [&](const Option& each) { return each.letter == found; });
    values_[one->name] = one->value == nullptr ? "" : optarg;
  }
  arguments_.assign(argv + optind, argv + argc);
}

void Options::check_arguments(const Usage& usage) const {
  const std::vector<std::string> names = words_of(usage.arguments);
  std::size_t least = 0;
  bool many = false;
  for (const std::string& name : names) {
    many = many || name.find("...") != std::string::npos;
    if (name.front() == '[') continue;
    if (arguments_.size() <= least) throw UsageError("missing argument " + name);
    ++least;
  }
  if (!many && arguments_.size() > names.size()) {
    throw UsageError("an argument too many: '" + arguments_[names.size()] + "'");
  }
}

std::string Options::text(const std::string& name) const {
  const auto given = values_.find(name);
  if (given != values_.end()) return given->second;
  const auto fallback = defaults_.find(name);
  return fallback == defaults_.end() ? "" : fallback->second;
}

long Options::integer(const std::string& name, long least, long most) const {
  const std::string given = text(name);
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(given.c_str(), &end, 10);
  if (given.empty() || *end != '\0' || errno != 0 || value < least || value > most) {
    throw UsageError("--" + name + ": '" + given + "' is no whole number from " + std::to_string(least) + " to " +
                     std::to_string(most));
  }
  return value;
}

double Options::real(const std::string& name, double least, double most) const {
  const std::string given = text(name);
  char* end = nullptr;
  const double value = std::strtod(given.c_str(), &end);
  if (given.empty() || *end != '\0' || !std::isfinite(value) || value < least || value > most) {
    throw UsageError("--" + name + ": '" + given + "' is no number from " + format_number("%g", least) + " to " +
                     format_number("%g", most));
  }
  return value;
}

std::string Options::choice(const std::string& name, const std::vector<std::string>& words) const {
  const std::string given = text(name);
  if (std::find(words.begin(), words.end(), given) != words.end()) return given;
  throw UsageError("--" + name + ": '" + given + "' is not one of " + joined(words));
}

std::vector<std::string> Options::list(const std::string& name) const {
  std::vector<std::string> found;
  std::istringstream stream(text(name));
  for (std::string word; std::getline(stream, word, ',');) {
    const std::vector<std::string> parts = words_of(word);
    if (parts.size() != 1) throw UsageError("--" + name + ": '" + text(name) + "' is no list such as 1,8");
    if (std::find(found.begin(), found.end(), parts[0]) == found.end()) found.push_back(parts[0]);
  }
  if (found.empty()) throw UsageError("--" + name + " needs at least one value");
  return found;
}

std::vector<Option> with_session_options(std::vector<Option> options) {
  const std::vector<Option> session = {
      {"backend", 0, "NAME", "auto", "Engine to use: tensorrt, onnxruntime, openvino, or auto for the first that works."},
      {"device", 0, "NAME", "auto", "Device to run on: cpu, cuda:0, gpu, npu, or auto to let the backend choose."},
      {"threads", 0, "N", nullptr, "Number of CPU threads the engine may use, at most four per core. [default: the "
                                   "engine's own]"},
      {"library", 0, "PATH", nullptr, "The engine's shared library, or the folder that holds it. [default: "
                                      "RESEMOTE_<BACKEND>_LIBRARY, then where the loader looks]"},
      {"cache-dir", 0, "FOLDER", nullptr, "Folder where engines keep compiled models. [default: for TensorRT, "
                                          "$XDG_CACHE_HOME/resemote or ~/.cache/resemote; otherwise none]"},
  };
  options.insert(options.end(), session.begin(), session.end());
  return options;
}

}  // namespace resemote_tools
