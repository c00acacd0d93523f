// Text: words and lists.
#pragma once

#include <string>
#include <vector>

namespace resemote_tools {

// Words that white space separates.
std::vector<std::string> words_of(const std::string& text);

// Texts one after the other, such as "1, 4, 8".
std::string joined(const std::vector<std::string>& texts, const std::string& separator = ", ");

}  // namespace resemote_tools
