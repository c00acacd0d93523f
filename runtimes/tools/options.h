// Options: the command line of a command, read with getopt_long. The help text is made from the same table.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace resemote_tools {

struct Option {
  const char* name;      // without dashes, such as "device"
  char letter;           // such as 'o'; 0 if it has none
  const char* value;     // what it takes, such as "NAME"; nullptr for a flag
  const char* default_value;  // the value if it is not given, shown in the help; nullptr if there is none
  const char* help;
};

struct Usage {
  const char* command;          // such as "classify"
  const char* arguments;        // such as "ARTIFACT PICTURE..."; a word with "..." takes one or more
  const char* text;             // what the command does; paragraphs are separated by an empty line
  const char* example;          // whole command lines, one a line
  std::vector<Option> options;  // --json and --help are added to every command
};

class Options {
 public:
  // Reads a command line. Throws UsageError if it is wrong. If it asks for help, prints it; `wants_help` is then true,
  // and the command has nothing more to do.
  Options(const Usage& usage, int argc, char** argv);

  bool wants_help() const noexcept { return wants_help_; }
  bool json() const { return has("json"); }
  const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  // Positional argument by its place; it exists if the usage demands it.
  const std::string& argument(std::size_t place) const { return arguments_.at(place); }

  // Whether the option was given.
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  // Value that was given, or else the option's default value; "" if it has none.
  std::string text(const std::string& name) const;
  // The same as a number. Throws UsageError if it is none, or lies outside of `least` to `most`.
  long integer(const std::string& name, long least, long most) const;
  double real(const std::string& name, double least, double most) const;
  // Value as one of a few words. Throws UsageError, which lists them.
  std::string choice(const std::string& name, const std::vector<std::string>& words) const;
  // Value as words that are separated by commas, each once.
  std::vector<std::string> list(const std::string& name) const;

 private:
  void read(const Usage& usage, int argc, char** argv);
  void check_arguments(const Usage& usage) const;

  std::map<std::string, std::string> defaults_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> arguments_;
  bool wants_help_ = false;
};

// Options of every command that opens an artifact: --backend, --device, --threads, --library, --cache-dir.
std::vector<Option> with_session_options(std::vector<Option> options);

}  // namespace resemote_tools
