#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace dictum {

/// A bounded queue between two threads. What does not fit is not taken: the newest is what gets lost.
///
/// Threads: one pushes, one pops, without waiting for each other; `size` is safe from any. Allocates, and touches all
/// of its memory, in the constructor only. Never fails.
template <typename T>
  requires std::is_trivially_copyable_v<T>
class SPSCRing {
 public:
  explicit SPSCRing(std::size_t capacity) : slots_(capacity) {}

  std::size_t capacity() const noexcept { return slots_.size(); }

  /// Values in the ring. For the pushing thread it can only be less by now, for the popping one only more.
  std::size_t size() const noexcept {
    const std::uint64_t popped = popped_.load(std::memory_order_acquire);
    return static_cast<std::size_t>(pushed_.load(std::memory_order_acquire) - popped);
  }

  /// Takes as many of `values`, from the first on, as there is room for; returns how many.
  std::size_t push(std::span<const T> values) noexcept {
    const std::uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    const std::uint64_t popped = popped_.load(std::memory_order_acquire);
    const std::size_t count = std::min(values.size(), capacity() - static_cast<std::size_t>(pushed - popped));
    const std::size_t at = place(pushed);
    const std::size_t first = std::min(count, capacity() - at);
    std::copy_n(values.begin(), first, slots_.begin() + static_cast<std::ptrdiff_t>(at));
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), count - first, slots_.begin());
    pushed_.store(pushed + count, std::memory_order_release);
    return count;
  }

  /// Hands out the oldest values, as many as `values` has room for; returns how many.
  std::size_t pop(std::span<T> values) noexcept {
    const std::uint64_t popped = popped_.load(std::memory_order_relaxed);
    const std::uint64_t pushed = pushed_.load(std::memory_order_acquire);
    const std::size_t count = std::min(values.size(), static_cast<std::size_t>(pushed - popped));
    const std::size_t at = place(popped);
    const std::size_t first = std::min(count, capacity() - at);
    std::copy_n(slots_.begin() + static_cast<std::ptrdiff_t>(at), first, values.begin());
    std::copy_n(slots_.begin(), count - first, values.begin() + static_cast<std::ptrdiff_t>(first));
    popped_.store(popped + count, std::memory_order_release);
    return count;
  }

 private:
  std::size_t place(std::uint64_t count) const noexcept {
    return slots_.empty() ? 0 : static_cast<std::size_t>(count % slots_.size());
  }

  std::vector<T> slots_;
  // Each counts up for ever and is written by one thread; apart, so that the threads do not share a cache line.
  alignas(64) std::atomic<std::uint64_t> pushed_{0};
  alignas(64) std::atomic<std::uint64_t> popped_{0};
};

}  // namespace dictum
