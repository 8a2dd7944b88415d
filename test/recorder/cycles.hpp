#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace dictum::test {

/// What this process holds of the system.
struct Holdings {
  std::size_t threads{};
  std::size_t descriptors{};
  std::size_t children{};
  std::size_t resident_bytes{};
};

Holdings holdings();

/// Whether threads, descriptors and children came down to those of `before` within the deadline.
bool come_down_to(const Holdings& before, std::chrono::milliseconds deadline = std::chrono::seconds(10));

struct Cycles {
  int count = 100;
  std::uint32_t seed = 1;
  bool with_workers = true;  ///< every fifth with a pool of worker processes
};

/// Starts and ends recorders, the two flavours in turn, each at a random moment and in a random way: stopped, stopped
/// while starting, cancelled, paused, destroyed by its owner or by its own callback, restarted at once. `after` is
/// called after each with its number. Throws std::runtime_error where something is left over after a cycle.
void run_cycles(const Cycles& cycles, const std::function<void(int)>& after = {});

}  // namespace dictum::test
