#pragma once

#include <mutex>
#include <utility>

namespace dictum {

/// A value that can be reached only under its lock.
template <class T>
class Guarded {
 public:
  /// The value, locked for as long as this exists.
  template <class Value>
  class Locked {
   public:
    Locked(std::mutex& mutex, Value& value) : lock_(mutex), value_(value) {}
    Value& operator*() const { return value_; }
    Value* operator->() const { return &value_; }

   private:
    std::unique_lock<std::mutex> lock_;
    Value& value_;
  };

  template <class... Arguments>
  explicit Guarded(Arguments&&... arguments) : value_{std::forward<Arguments>(arguments)...} {}

  Locked<T> lock() { return {mutex_, value_}; }
  Locked<const T> lock() const { return {mutex_, value_}; }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace dictum
