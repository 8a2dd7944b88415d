#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/spsc_ring.hpp"
#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// One call of the device's callback, as the reader receives it.
struct Delivery {
  std::chrono::steady_clock::time_point arrived;
  std::uint64_t dropped{};                 ///< frames lost right before these: no room, or reported by the driver
  std::uint32_t frames{};                  ///< frames that are in the ring
  std::optional<GapReason> discontinuity;  ///< the driver reported one right before these frames
};

/// The fence between a device's callback and the rest of the program. The callback's only duty is `push`: it copies
/// into preallocated memory and records the time; it takes no lock, allocates nothing, makes no system call (the steady
/// clock is read through the vDSO), throws nothing and wakes no thread. Where the ring is full, the newest frames are
/// dropped and counted, and the count is part of the next delivery, so the gap is placed exactly where it happened.
///
/// Threads: `push` and `mark` on the device's thread, `has_audio` on any, the others on the reader's. Owner: the
/// stream.
class CaptureRing {
 public:
  static constexpr std::chrono::seconds kLength{12};

  CaptureRing(AudioFormat format, std::shared_ptr<const Clock> clock);

  /// Takes `frames` frames of interleaved samples; null stands for frames that the driver has lost.
  void push(const float* interleaved, std::size_t frames) noexcept;

  /// The next frames do not adjoin the ones before.
  void mark(GapReason discontinuity) noexcept { discontinuity_ = discontinuity; }

  /// Whether real samples have arrived.
  bool has_audio() const noexcept { return has_audio_.load(std::memory_order_acquire); }

  /// Takes the oldest delivery; its samples are then the next `frames` frames to be popped. Frames that were dropped at
  /// the very end come as a delivery without samples. False where there is nothing new.
  bool take(Delivery& delivery) noexcept;
  std::size_t pop(std::span<float> interleaved) noexcept { return samples_.pop(interleaved); }

 private:
  const std::size_t channels_;
  const std::shared_ptr<const Clock> clock_;
  SPSCRing<float> samples_;
  SPSCRing<Delivery> deliveries_;          // whose `dropped` counts from the stream's start
  std::atomic<std::uint64_t> dropped_{0};  // since the stream's start
  std::atomic<bool> has_audio_{false};
  std::optional<GapReason> discontinuity_;  // owned by the device's thread
  std::uint64_t reported_ = 0;              // of dropped_; owned by the reader's thread
};

}  // namespace dictum::capture
