#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/spsc_ring.hpp"
#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// What a driver said about the audio that follows.
enum class Incident : std::uint8_t { none, overflow, suspended, moved };

/// One call of the device's callback, as the reader finds it.
struct Delivery {
  std::chrono::steady_clock::time_point arrived;
  std::uint64_t dropped{};  ///< frames that found no room, or that the driver had lost, just before these
  std::uint32_t frames{};   ///< frames that are in the ring
  Incident incident{};      ///< right before these frames
};

/// The fence between a device's callback and the rest of the program. The callback's only duty is `push`: it copies
/// into preallocated memory and writes down when that was; it takes no lock, allocates nothing, makes no system call
/// (the steady clock is read through the vDSO), throws nothing and wakes nobody. Where the ring is full the newest
/// frames are dropped and counted, and the count stands in the next delivery, so the gap is found exactly where it
/// happened.
///
/// Threads: `push` and `mark` on the device's thread, `heard` from any, the others on the reader's. Owner: the stream.
class CaptureRing {
 public:
  static constexpr std::chrono::seconds kLength{12};

  CaptureRing(AudioFormat format, std::shared_ptr<const Clock> clock);

  /// Takes `frames` frames of interleaved samples; null stands for frames that the driver has lost.
  void push(const float* interleaved, std::size_t frames) noexcept;

  /// The next frames come after `incident`.
  void mark(Incident incident) noexcept { incident_ = incident; }

  /// Whether real samples have come.
  bool heard() const noexcept { return heard_.load(std::memory_order_acquire); }

  /// The oldest delivery that was not taken yet; its samples are then the next `frames` frames to be popped.
  bool take(Delivery& delivery) noexcept { return deliveries_.pop(std::span(&delivery, 1)) == 1; }
  std::size_t pop(std::span<float> interleaved) noexcept { return samples_.pop(interleaved); }

  /// Frames dropped at the very end, which no delivery follows. To be asked once everything else was taken.
  std::uint64_t take_dropped() noexcept { return dropped_.exchange(0, std::memory_order_acq_rel); }

 private:
  const std::size_t channels_;
  const std::shared_ptr<const Clock> clock_;
  SPSCRing<float> samples_;
  SPSCRing<Delivery> deliveries_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> heard_{false};
  Incident incident_ = Incident::none;  // of the device's thread
};

}  // namespace dictum::capture
