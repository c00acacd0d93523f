// SharedLibrary: an engine's library, found at run time.
#pragma once

#include <string>
#include <vector>

namespace resemote_internal {

// Never unloaded: engines keep threads and exit handlers that do not survive it.
class SharedLibrary {
 public:
  // Opens the first that is there, of `chosen`: libraries, or folders that hold one, separated by ':'. An empty one, as
  // in an empty text, stands for the environment variable's value, or where it has none, for each of `names` where the
  // loader looks. In a folder, `names` are looked for first as they are, then with a version behind them.
  // Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE that names what was tried and `hint`.
  SharedLibrary(const std::vector<std::string>& names, const std::string& chosen, const char* variable,
                const std::string& hint);

  // Throws Error with RESEMOTE_STATUS_BACKEND_UNAVAILABLE where the library has no such symbol.
  void* symbol(const char* name) const;
  // Null where it has none.
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
