#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "audio/integer_samples.hpp"
#include "base/spsc_ring.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// What the two ends of a PushSource share.
///
/// Threads: the functions are grouped by the side that may call them, one thread at a time on each. Owner: both sides.
/// The producer's neither block nor allocate.
class PushStream {
 public:
  PushStream(AudioFormat format, std::size_t capacity_frames);

  AudioFormat format() const { return format_; }

  // The producer's side.
  std::size_t push(std::span<const float> interleaved);
  std::size_t push(std::span<const std::int16_t> interleaved);
  std::size_t room() const noexcept;
  void finish() noexcept;

  // The consumer's side.
  bool open();  ///< false where it is open already; drops what was pushed before
  void close() noexcept;
  Reading read(std::span<float> interleaved);

  /// How rarely it may be read while nobody speaks; what it keeps has room for several times that.
  std::chrono::milliseconds quiet_pace() const;

 private:
  struct Gap {
    std::uint64_t position{};  ///< frames kept before it
    std::uint64_t frames{};
    std::uint64_t generation{};  ///< the value of generation_ when it arose
  };

  template <typename Sample>
  std::size_t keep(std::span<const Sample> interleaved);

  const AudioFormat format_;
  const std::size_t channels_;
  SPSCRing<float> samples_;
  SPSCRing<Gap> gaps_;
  std::atomic<std::uint64_t> generation_{0};  // incremented by each open and close: odd while a recording is open
  std::atomic<bool> finished_{false};
  Gap last_gap_;  // of the producer until finished_, of the consumer then

  // The producer's own.
  std::uint64_t kept_ = 0;  // frames
  Gap growing_;             // frames that were dropped since the last one that was kept

  // The consumer's own.
  std::uint64_t taken_ = 0;  // frames
  std::optional<Gap> next_gap_;
  bool last_gap_reported_ = false;
};

/// The consumer's end of a PushSource. Samples that are plainly unscaled integers are scaled, and reported.
///
/// Threads and owner: as AudioSource says. `open` throws RecorderError(device_busy) where another recording is open.
class PushedAudio final : public AudioSource {
 public:
  explicit PushedAudio(std::shared_ptr<PushStream> stream) : stream_(std::move(stream)) {}
  ~PushedAudio() override { close(); }

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void close() noexcept override;
  std::chrono::milliseconds quiet_pace() const override { return std::max(pace(), stream_->quiet_pace()); }
  std::string description() const override { return "push"; }

 private:
  const std::shared_ptr<PushStream> stream_;
  bool is_open_ = false;
  audio::IntegerSamples integer_samples_;
  std::optional<Reading> held_;  // what follows a report
};

}  // namespace dictum::capture
