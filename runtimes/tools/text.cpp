#include "text.h"

#include <sstream>

namespace resemote_tools {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string joined(const std::vector<std::string>& texts, const std::string& separator) {
  std::string all;
  for (const std::string& text : texts) all += (&text == &texts.front() ? "" : separator) + text;
  return all;
}

}  // namespace resemote_tools
