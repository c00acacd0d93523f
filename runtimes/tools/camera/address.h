// Addresses of sources, and what may be shown of them.
#pragma once

#include <string>

namespace resemote_camera {

// What stands before the first colon, in small letters; empty for a plain path or number.
std::string scheme_of(const std::string& address);

// An address as it may be shown and stored: without users, passwords and queries, as Python shows it.
std::string without_secrets(const std::string& address);

}  // namespace resemote_camera
