#include "capture/capture_ring.hpp"

#include <algorithm>
#include <utility>

namespace dictum::capture {
namespace {

constexpr std::size_t kDeliveries = 8192;  // 12 s of callbacks of 1.5 ms: no driver is asked for shorter ones

}  // namespace

CaptureRing::CaptureRing(AudioFormat format, std::shared_ptr<const Clock> clock)
    : channels_(static_cast<std::size_t>(format.channels)),
      clock_(std::move(clock)),
      samples_(static_cast<std::size_t>(format.sample_rate) * channels_ * static_cast<std::size_t>(kLength.count())),
      deliveries_(kDeliveries) {}

void CaptureRing::push(const float* interleaved, std::size_t frames) noexcept {
  const std::size_t room = (samples_.capacity() - samples_.size()) / channels_;
  const bool has_slot = interleaved != nullptr && deliveries_.size() < deliveries_.capacity();
  const std::size_t taken = has_slot ? std::min(frames, room) : 0;
  const std::uint64_t dropped = dropped_.load(std::memory_order_relaxed);
  if (taken > 0) {
    samples_.push({interleaved, taken * channels_});
    const Delivery delivery{.arrived = clock_->steady_now(),
                            .dropped = dropped,
                            .frames = static_cast<std::uint32_t>(taken),
                            .discontinuity = std::exchange(discontinuity_, std::nullopt)};
    deliveries_.push({&delivery, 1});  // after its samples, so that they are there once the delivery is seen
    has_audio_.store(true, std::memory_order_release);
  }
  if (taken < frames) dropped_.store(dropped + frames - taken, std::memory_order_release);
}

bool CaptureRing::take(Delivery& delivery) noexcept {
  // Read before the deliveries: where there is none then, these frames follow everything that was taken.
  const std::uint64_t dropped = dropped_.load(std::memory_order_acquire);
  if (deliveries_.pop(std::span(&delivery, 1)) == 0) {
    if (dropped == reported_) return false;
    delivery = {.arrived = clock_->steady_now(), .dropped = dropped, .frames = 0, .discontinuity = {}};
  }
  delivery.dropped -= std::exchange(reported_, delivery.dropped);
  return true;
}

}  // namespace dictum::capture
