#include "capture/capture_ring.hpp"

#include <algorithm>
#include <utility>

namespace dictum::capture {
namespace {

constexpr std::size_t kDeliveries = 8192;  // 12 s of callbacks of 1.5 ms: shorter ones no driver is asked for

}  // namespace

CaptureRing::CaptureRing(AudioFormat format, std::shared_ptr<const Clock> clock)
    : channels_(static_cast<std::size_t>(format.channels)),
      clock_(std::move(clock)),
      samples_(static_cast<std::size_t>(format.sample_rate) * channels_ * static_cast<std::size_t>(kLength.count())),
      deliveries_(kDeliveries) {}

void CaptureRing::push(const float* interleaved, std::size_t frames) noexcept {
  if (frames == 0) return;
  const std::size_t room = (samples_.capacity() - samples_.size()) / channels_;
  const bool can_tell = interleaved != nullptr && deliveries_.size() < deliveries_.capacity();
  const std::size_t taken = can_tell ? std::min(frames, room) : 0;
  if (taken > 0) {
    samples_.push({interleaved, taken * channels_});
    const Delivery delivery{.arrived = clock_->steady_now(),
                            .dropped = dropped_.exchange(0, std::memory_order_acq_rel),
                            .frames = static_cast<std::uint32_t>(taken),
                            .incident = std::exchange(incident_, Incident::none)};
    deliveries_.push({&delivery, 1});  // after its samples: what the reader sees told is there
    heard_.store(true, std::memory_order_release);
  }
  if (taken < frames) dropped_.fetch_add(frames - taken, std::memory_order_acq_rel);
}

}  // namespace dictum::capture
