// Command: a row of the table in main.cpp. Each command is a function in a file of its own.
#pragma once

namespace resemote_tools {

struct Command {
  const char* name;
  const char* summary;  // one line of `resemote --help`
  int (*run)(int argc, char** argv);  // argv[0] is the command's name. Returns the exit code; errors are thrown
};

int probe_command(int argc, char** argv);
int inspect_command(int argc, char** argv);
int verify_command(int argc, char** argv);
int build_command(int argc, char** argv);
int classify_command(int argc, char** argv);
int eval_command(int argc, char** argv);
int bench_command(int argc, char** argv);
int camera_command(int argc, char** argv);

}  // namespace resemote_tools
