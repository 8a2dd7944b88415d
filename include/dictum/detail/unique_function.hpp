#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace dictum::detail {

/// Whether `callable` is a null pointer, or a std::function or the like that is empty: to call it would crash or throw.
template <class Callable>
bool is_null(const Callable& callable) {
  if constexpr (std::is_constructible_v<Callable, std::nullptr_t> && requires { callable == nullptr; }) {
    return callable == nullptr;
  } else {
    return false;
  }
}

template <class Signature>
class UniqueFunction;

/// A callable that owns what it calls and need not be copyable: std::function for move-only callables, until
/// std::move_only_function (C++23) can be relied on. One made of a null pointer or an empty function is empty; calling
/// an empty one is undefined.
template <class Result, class... Arguments>
class UniqueFunction<Result(Arguments...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::function

  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, UniqueFunction> &&
             std::is_invocable_r_v<Result, std::decay_t<Callable>&, Arguments...>)
  UniqueFunction(Callable&& callable) {  // NOLINT(google-explicit-constructor): as std::function
    if (is_null<std::decay_t<Callable>>(callable)) return;
    target_ = std::make_unique<Target<std::decay_t<Callable>>>(std::forward<Callable>(callable));
  }

  Result operator()(Arguments... arguments) { return target_->call(std::forward<Arguments>(arguments)...); }

  explicit operator bool() const noexcept { return target_ != nullptr; }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Result call(Arguments... arguments) = 0;
  };

  template <class Callable>
  struct Target final : Base {
    template <class Source>
    explicit Target(Source&& source) : callable(std::forward<Source>(source)) {}
    Result call(Arguments... arguments) override {
      if constexpr (std::is_void_v<Result>) {
        std::invoke(callable, std::forward<Arguments>(arguments)...);
      } else {
        return std::invoke(callable, std::forward<Arguments>(arguments)...);
      }
    }
    Callable callable;
  };

  std::unique_ptr<Base> target_;
};

}  // namespace dictum::detail
