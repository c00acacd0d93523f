// Terminal: everything that the tools print goes through here, so that no name or label can command the terminal.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace resemote_tools {

// Text with every character that a terminal would act on, or that turns lines around, as an escape such as \x1b. Bytes
// that are not UTF-8 become escapes, too. Tabs and line feeds stay.
std::string escape(const std::string& text);

// Text with each run of white space as one space.
std::string one_line(const std::string& text);

// Writes a line to stdout. Throws ToolError if it cannot be written.
void print_line(const std::string& line);

// Writes a line to stderr.
void print_error(const std::string& line) noexcept;

// Writes JSON to stdout, indented, with a line feed. Throws ToolError if it cannot be written.
void print_json(const nlohmann::json& value);

// Writes a table to stdout: the first row is the header.
void print_table(const std::vector<std::vector<std::string>>& rows);

// Writes out what is buffered. Throws ToolError if stdout is full or closed.
void flush_output();

// Text of a number, as printf writes it: format_number("%.3f ms", 0.25).
std::string format_number(const char* format, double value);

}  // namespace resemote_tools
