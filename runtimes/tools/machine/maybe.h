// Maybe: a fact that may not be known. (std::optional needs C++17.)
#pragma once

#include <nlohmann/json.hpp>

namespace resemote_tools {

template <typename T>
class Maybe {
 public:
  Maybe() = default;
  Maybe(const T& value) : known_(true), value_(value) {}  // NOLINT: a value is a known fact

  explicit operator bool() const noexcept { return known_; }
  const T& operator*() const noexcept { return value_; }
  const T* operator->() const noexcept { return &value_; }
  T otherwise(const T& value) const { return known_ ? value_ : value; }

 private:
  bool known_ = false;
  T value_ = T();
};

template <typename T>
void to_json(nlohmann::json& to, const Maybe<T>& fact) {
  if (fact) {
    to = *fact;
  } else {
    to = nullptr;
  }
}

}  // namespace resemote_tools
