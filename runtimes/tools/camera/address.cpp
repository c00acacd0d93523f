#include "address.h"

#include <algorithm>
#include <cctype>

namespace resemote_camera {
namespace {

// Words in the names of properties whose values are not shown.
constexpr const char* SECRET[] = {"key", "pass", "pw", "secret", "token", "auth", "user-id"};

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_secret(const std::string& name) {
  const std::string small = in_small_letters(name);
  return std::any_of(std::begin(SECRET), std::end(SECRET),
                     [&](const char* word) { return small.find(word) != std::string::npos; });
}

// One address, without user, password and query. A password with a sign that should have been escaped looks like a port
// and a path: then all that is before the last @ is left out.
std::string shown_word(const std::string& word) {
  const std::size_t mark = word.find("://");
  if (mark == std::string::npos) return word;
  const std::string scheme = word.substr(0, mark + 3);
  std::string rest = word.substr(mark + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = rest.rfind('@');
  const bool with_port = authority.find(':') != std::string::npos;
  if (authority.find('@') != std::string::npos || (with_port && at != std::string::npos)) {
    rest = "***@" + rest.substr(at + 1);
  }
  const std::size_t question = rest.find('?');
  return scheme + (question == std::string::npos ? rest : rest.substr(0, question) + "?...");
}

// Whether a character parts the words of a pipeline.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

}  // namespace

std::string scheme_of(const std::string& address) {
  const std::size_t colon = address.find(':');
  if (colon == std::string::npos || colon == 0) return "";
  const std::string scheme = address.substr(0, colon);
  const bool plain = std::all_of(scheme.begin(), scheme.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '+'; });
  return plain ? in_small_letters(scheme) : "";
}

// A pipeline may hold several addresses, and properties such as user-pw, whose value may be quoted.
std::string without_secrets(const std::string& address) {
  std::string shown;
  for (std::size_t place = 0; place < address.size();) {
    if (is_blank(address[place])) {
      shown += address[place++];
      continue;
    }
    std::size_t end = place;
    while (end < address.size() && !is_blank(address[end])) ++end;
    const std::size_t equals = address.find('=', place);
    if (place > 0 && equals < end && is_secret(address.substr(place, equals - place))) {
      shown += address.substr(place, equals - place) + "=***";
      const std::size_t quote = equals + 1;
      if (quote < address.size() && address[quote] == '"') end = std::min(address.find('"', quote + 1), address.size() - 1) + 1;
    } else {
      shown += shown_word(address.substr(place, end - place));
    }
    place = end;
  }
  return shown;
}

}  // namespace resemote_camera
