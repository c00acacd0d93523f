// SharedLibrary: the library of an engine, opened at run time.
#pragma once

#include <string>
#include <vector>

namespace resemote_internal {

// It is never unloaded, because engines keep threads and exit handlers that would not survive it.
class SharedLibrary {
 public:
  // Opens the first place of `chosen` that holds the library. Places are separated by ':', and each is a library or a
  // folder that holds one. An empty place, as in an empty text, stands for the value of the environment variable, or, if
  // the variable is not set, for the first of `names` that the loader finds, or else, with a version after it, in a folder
  // of LD_LIBRARY_PATH or of the system. In a folder, `names` are tried as they are, and then with a version after them,
  // the highest first. Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE, which names what was
  // tried, and `hint`.
  SharedLibrary(const std::vector<std::string>& names, const std::string& chosen, const char* variable,
                const std::string& hint);

  // Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE if the library has no such symbol.
  void* symbol(const char* name) const;
  // Returns null if the library has no such symbol.
  void* find_symbol(const char* name) const noexcept;

  template <typename Function>
  void load(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

  const std::string& path() const { return path_; }

 private:
  void* handle_ = nullptr;
  std::string path_;
};

}  // namespace resemote_internal
