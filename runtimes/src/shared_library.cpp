#include "shared_library.h"

#include <dirent.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "error.h"
#include "file.h"

namespace resemote_internal {
namespace {

// Files in a folder that have one of these names, in the order of the names, with the highest version first.
std::vector<std::string> candidates(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<std::string> entries;
  if (DIR* stream = ::opendir(folder.c_str())) {
    while (const dirent* entry = ::readdir(stream)) entries.push_back(entry->d_name);
    ::closedir(stream);
  }
  // In the order of versions, where 1.10 is above 1.9.
  std::sort(entries.begin(), entries.end(), [](const std::string& left, const std::string& right) {
    return ::strverscmp(left.c_str(), right.c_str()) > 0;
  });
  std::vector<std::string> found;
  for (const std::string& name : names) {
    for (const std::string& entry : entries) {
      if (entry == name) found.push_back(folder + "/" + entry);
    }
    for (const std::string& entry : entries) {
      if (entry.compare(0, name.size() + 1, name + ".") == 0) found.push_back(folder + "/" + entry);
    }
  }
  return found;
}

#if defined(__x86_64__)
constexpr char kSystemFolders[] = "/usr/local/lib:/usr/lib/x86_64-linux-gnu:/usr/lib64:/usr/lib";
#elif defined(__aarch64__)
constexpr char kSystemFolders[] = "/usr/local/lib:/usr/lib/aarch64-linux-gnu:/usr/lib64:/usr/lib";
#else
constexpr char kSystemFolders[] = "/usr/local/lib:/usr/lib";
#endif

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    found.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

// What the loader is asked for if no place is named: the names, and then files whose names end in a version. The loader
// does not find the latter, but many packages install nothing else.
std::vector<std::string> default_places(const std::vector<std::string>& names) {
  std::vector<std::string> found = names;
  const char* const searched = std::getenv("LD_LIBRARY_PATH");
  for (const std::string& folder : split(std::string(searched != nullptr ? searched : "") + ":" + kSystemFolders)) {
    if (folder.empty()) continue;
    const std::vector<std::string> here = candidates(folder, names);
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

// What to open, in turn, for a list of places; an empty place stands for the default.
std::vector<std::string> places(const std::vector<std::string>& names, const std::string& list,
                                const std::string& otherwise) {
  std::vector<std::string> found;
  for (const std::string& part : split(list)) {
    const std::string& place = part.empty() ? otherwise : part;
    const std::vector<std::string> here = place.empty()      ? default_places(names)
                                          : is_folder(place) ? candidates(place, names)
                                                             : std::vector<std::string>{place};
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

}  // namespace

SharedLibrary::SharedLibrary(const std::vector<std::string>& names, const std::string& chosen, const char* variable,
                             const std::string& hint) {
  const char* from_environment = std::getenv(variable);
  const std::string otherwise = from_environment != nullptr ? from_environment : "";
  std::string reasons;
  for (const std::string& path : places(names, chosen, otherwise)) {
    handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      path_ = path;
      return;
    }
    const char* reason = ::dlerror();
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason != nullptr ? reason : path.c_str());
  }
  if (reasons.empty()) reasons = (chosen.empty() ? otherwise : chosen) + ": a folder without " + names.front();
  throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE,
              reasons + "; " + hint + ", and give its place in the option 'library' or in " + variable);
}

void* SharedLibrary::find_symbol(const char* name) const noexcept { return ::dlsym(handle_, name); }

void* SharedLibrary::symbol(const char* name) const {
  void* found = find_symbol(name);
  if (found == nullptr) {
    throw Error(RESEMOTE_STATUS_BACKEND_UNAVAILABLE,
                path_ + ": has no function " + name + ", so it is too old or another library; install a newer one");
  }
  return found;
}

}  // namespace resemote_internal
