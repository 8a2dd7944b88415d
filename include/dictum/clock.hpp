#pragma once

#include <atomic>
#include <chrono>

namespace dictum {

/// Where every `timestamp`, session name and duration comes from. Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Time of day, for timestamps and session names.
  virtual std::chrono::system_clock::time_point now() const = 0;

  /// A clock that only goes forward, for durations and deadlines.
  virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return std::chrono::system_clock::now(); }
  std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
};

/// A clock that stands still until it is moved on: time as a value, for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::chrono::system_clock::time_point start) : start_(start) {}

  std::chrono::system_clock::time_point now() const override {
    return start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(elapsed());
  }
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(elapsed());
  }

  /// Moves both clocks forward by `step`.
  void advance(std::chrono::nanoseconds step) { elapsed_ns_.fetch_add(step.count()); }

 private:
  std::chrono::nanoseconds elapsed() const { return std::chrono::nanoseconds(elapsed_ns_.load()); }

  const std::chrono::system_clock::time_point start_;
  std::atomic<std::chrono::nanoseconds::rep> elapsed_ns_{0};
};

}  // namespace dictum
