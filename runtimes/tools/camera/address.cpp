#include "address.h"

#include <algorithm>
#include <cctype>

namespace resemote_camera {
namespace {

constexpr char MARK[] = "://";
constexpr std::size_t MARK_LENGTH = sizeof MARK - 1;

// Words in the names of query parameters whose values are not shown.
constexpr const char* SECRET[] = {"key", "pass", "pwd", "secret", "token", "auth", "sig"};

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_secret(const std::string& name) {
  const std::string small = in_small_letters(name);
  return std::any_of(std::begin(SECRET), std::end(SECRET),
                     [&](const char* word) { return small.find(word) != std::string::npos; });
}

// The same text with the value of each secret parameter of its query as ***.
std::string without_tokens(const std::string& text) {
  std::size_t place = text.find('?');
  if (place == std::string::npos) return text;
  std::string shown = text.substr(0, place + 1);
  for (++place; place < text.size();) {
    const std::size_t end = std::min(text.find_first_of("&# ", place), text.size());
    const std::string pair = text.substr(place, end - place);
    const std::size_t equals = pair.find('=');
    const bool secret = equals != std::string::npos && is_secret(pair.substr(0, equals));
    shown += secret ? pair.substr(0, equals) + "=***" : pair;
    if (end < text.size()) shown += text[end];
    place = end + 1;
  }
  return shown;
}

}  // namespace

std::string scheme_of(const std::string& address) {
  const std::size_t colon = address.find(':');
  if (colon == std::string::npos || colon == 0) return "";
  const std::string scheme = address.substr(0, colon);
  const bool plain = std::all_of(scheme.begin(), scheme.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '+'; });
  return plain ? in_small_letters(scheme) : "";
}

// A pipeline may hold an address in its middle, so every one is looked at.
std::string without_secrets(const std::string& address) {
  std::string shown;
  std::size_t place = 0;
  for (;;) {
    const std::size_t mark = address.find(MARK, place);
    if (mark == std::string::npos) return without_tokens(shown + address.substr(place));
    const std::size_t begin = mark + MARK_LENGTH;
    shown += address.substr(place, begin - place);
    const std::size_t end = std::min(address.find_first_of("/?# ", begin), address.size());
    const std::size_t word_end = std::min(address.find(' ', begin), address.size());
    const std::string host = address.substr(begin, end - begin), word = address.substr(begin, word_end - begin);
    const std::size_t last = word.rfind('@');
    if (last == std::string::npos) {
      place = begin;
      continue;
    }
    if (begin + last >= end && host.find(':') != std::string::npos) {
      // A password with such a sign in it looks like a port, a path or a query: all of it may be secret.
      shown += "***@";
      place = begin + last + 1;
      continue;
    }
    const std::size_t at = host.rfind('@');
    if (at == std::string::npos) {
      place = begin;
      continue;
    }
    const std::string user = host.substr(0, std::min(host.find(':'), at));
    shown += user.empty() ? "" : user + "@";
    place = begin + at + 1;
  }
}

}  // namespace resemote_camera
