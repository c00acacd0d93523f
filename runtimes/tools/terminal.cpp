#include "terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "errors.h"

namespace resemote_tools {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: the byte begins no character of UTF-8
};

// Reads the character of UTF-8 at a position. Overlong forms, halves of surrogates and numbers past U+10FFFF are none.
Character read_character(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return {};
  std::uint32_t code = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(at + i) & 0x3fu);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, length};
}

// C0 without tab and line feed, DEL, C1, directions and separators of Unicode: the same as cli/terminal.py.
bool is_odd(std::uint32_t code) {
  if (code == '\t' || code == '\n') return false;
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(std::uint32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
  return text;
}

// Columns that a text takes, as far as it can be told without a table of wide characters.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80; }));
}

void write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  const int error = errno;
  throw ToolError("writing to the standard output failed: " + system_message(error));
}

}  // namespace

std::string escape(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Character character = read_character(text, i);
    if (character.bytes == 0) {
      result += escaped(static_cast<std::uint8_t>(text[i++]));
      continue;
    }
    if (is_odd(character.code)) {
      result += escaped(character.code);
    } else {
      result.append(text, i, character.bytes);
    }
    i += character.bytes;
  }
  return result;
}

std::string one_line(const std::string& text) {
  std::string result;
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = true;
      continue;
    }
    if (space && !result.empty()) result += ' ';
    space = false;
    result += c;
  }
  return result;
}

void print_line(const std::string& line) { write(escape(line) + "\n"); }

void print_error(const std::string& line) noexcept {
  std::fflush(stdout);
  try {
    std::fputs((escape(line) + "\n").c_str(), stderr);
  } catch (...) {
    std::fputs("Error: not enough memory\n", stderr);
  }
}

void print_json(const nlohmann::json& value) {
  // In ASCII nothing is left that a terminal would act on. Names of files may hold bytes that are not UTF-8.
  write(value.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows) {
    cells.emplace_back();
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.back().push_back(escape(one_line(row[i])));
      widths[i] = std::max(widths[i], columns(cells.back()[i]));
    }
  }
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - columns(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print_line(line);
  }
}

void flush_output() {
  if (std::fflush(stdout) == 0) return;
  const int error = errno;
  throw ToolError("writing to the standard output failed: " + system_message(error));
}

std::string format_number(const char* format, double value) {
  char text[128];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace resemote_tools
