#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace dictum::server {

/// Counts what is under way, up to a limit. A place is given back when it is destroyed, also after its owner is gone.
///
/// Thread: the loop's.
class Places {
  struct State {
    std::size_t left{};
    std::function<void()> on_free;
  };

 public:
  explicit Places(std::size_t limit) : state_(std::make_shared<State>(State{limit, {}})) {}

  class Place {
   public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (!state_) return;
      ++state_->left;
      if (state_->on_free) state_->on_free();
    }

   private:
    friend Places;
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  /// Empty where none is left.
  std::optional<Place> take() {
    if (state_->left == 0) return std::nullopt;
    --state_->left;
    return Place(state_);
  }

  std::size_t left() const { return state_->left; }

  /// `on_free` is called when a place is given back; empty: nothing is.
  void set_on_free(std::function<void()> on_free) { state_->on_free = std::move(on_free); }

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace dictum::server
