#include "capture/push_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "audio/format.hpp"
#include "dictum/error.hpp"
#include "dictum/push_source.hpp"

namespace dictum {
namespace capture {

namespace {

constexpr std::size_t kGaps =
    64;  // kept apart; where there is no room for another, dropping continues and the gap grows
constexpr std::chrono::milliseconds kQuietPace{160};

}  // namespace

PushStream::PushStream(AudioFormat format, std::size_t capacity_frames)
    : format_(format),
      channels_(static_cast<std::size_t>(format.channels)),
      samples_(capacity_frames * channels_),
      gaps_(kGaps) {}

std::size_t PushStream::push(std::span<const float> interleaved) {
  return keep(interleaved);
}
std::size_t PushStream::push(std::span<const std::int16_t> interleaved) {
  return keep(interleaved);
}

std::size_t PushStream::room() const noexcept {
  return (samples_.capacity() - samples_.size()) / channels_;
}

template <typename Sample>
std::size_t PushStream::keep(std::span<const Sample> interleaved) {
  if (interleaved.size() % channels_ != 0) {
    throw RecorderError(
        Errc::invalid_argument,
        fmt::format("{} samples are not whole frames of {} channels. Push all channels of a frame together.",
                    interleaved.size(), channels_));
  }
  const std::uint64_t generation = generation_.load(std::memory_order_acquire);
  if (generation % 2 == 0 || finished_.load(std::memory_order_relaxed)) return 0;
  if (growing_.generation != generation) growing_ = {.generation = generation};

  const std::size_t frames = interleaved.size() / channels_;
  std::size_t fitting = std::min(frames, room());
  if (fitting > 0 && growing_.frames > 0) {
    // Before the samples that follow it, so that who sees those sees the gap.
    growing_.position = kept_;
    if (gaps_.push({&growing_, 1}) == 1) {
      growing_.frames = 0;
    } else {
      fitting = 0;
    }
  }
  auto rest = interleaved.first(fitting * channels_);
  if constexpr (std::is_same_v<Sample, float>) {
    samples_.push(rest);
  } else {
    std::array<float, 512> converted;
    while (!rest.empty()) {
      const auto piece = rest.first(std::min(rest.size(), converted.size()));
      std::ranges::transform(piece, converted.begin(),
                             [](std::int16_t sample) { return static_cast<float>(sample) / 32768.0F; });
      samples_.push(std::span(converted).first(piece.size()));
      rest = rest.subspan(piece.size());
    }
  }
  kept_ += fitting;
  growing_.frames += frames - fitting;
  return fitting;
}

void PushStream::finish() noexcept {
  if (finished_.load(std::memory_order_relaxed)) return;
  last_gap_ = growing_;
  finished_.store(true, std::memory_order_release);
}

bool PushStream::open() {
  std::uint64_t generation = generation_.load(std::memory_order_relaxed);
  if (generation % 2 == 1 ||
      !generation_.compare_exchange_strong(generation, generation + 1, std::memory_order_acq_rel)) {
    return false;
  }
  std::array<float, 512> dropped;
  const std::size_t frames = samples_.size() / channels_;
  for (std::size_t left = frames * channels_; left > 0;) {
    left -= samples_.pop(std::span(dropped).first(std::min(left, dropped.size())));
  }
  taken_ += frames;
  next_gap_.reset();
  return true;
}

void PushStream::close() noexcept {
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

std::chrono::milliseconds PushStream::quiet_pace() const {
  const auto frames = static_cast<std::int64_t>(samples_.capacity() / channels_);
  return std::min(kQuietPace, std::chrono::milliseconds(1000 * frames / format_.sample_rate / 4));
}

Reading PushStream::read(std::span<float> interleaved) {
  // In this order: what is seen to be there was preceded by gaps that are then seen, too, and nothing follows it where
  // the stream is seen to be finished.
  const bool finished = finished_.load(std::memory_order_acquire);
  const std::size_t available = samples_.size() / channels_;
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed);
  for (Gap gap; !next_gap_ && gaps_.pop({&gap, 1}) == 1;) {
    if (gap.generation == generation) next_gap_ = gap;  // else it arose before the last pause
  }

  std::size_t frames = std::min(available, interleaved.size() / channels_);
  if (next_gap_) frames = std::min<std::size_t>(frames, next_gap_->position - std::min(next_gap_->position, taken_));
  samples_.pop(interleaved.first(frames * channels_));
  taken_ += frames;
  if (next_gap_ && taken_ >= next_gap_->position) {
    const auto length = static_cast<Frame>(std::exchange(next_gap_, std::nullopt)->frames);
    return {.frames = frames, .then = SourceGap{.frames = length, .reason = GapReason::overflow}};
  }
  if (!finished || frames < available) return {.frames = frames};
  if (last_gap_.frames > 0 && last_gap_.generation == generation && !std::exchange(last_gap_reported_, true)) {
    const auto length = static_cast<Frame>(last_gap_.frames);
    return {.frames = frames, .then = SourceGap{.frames = length, .reason = GapReason::overflow}};
  }
  return {.frames = frames, .then = SourceEnd{}};
}

AudioFormat PushedAudio::open() {
  if (!is_open_ && !stream_->open()) {
    throw RecorderError(Errc::device_busy,
                        "Another recording uses this push source. Stop it first, or make a source for each.");
  }
  is_open_ = true;
  return stream_->format();
}

Reading PushedAudio::read(std::span<float> interleaved) {
  if (held_) return *std::exchange(held_, std::nullopt);
  Reading reading = stream_->read(interleaved);
  const auto samples = interleaved.first(reading.frames * static_cast<std::size_t>(stream_->format().channels));
  if (!integer_samples_.scale(samples)) return reading;
  if (reading.then.index() != 0) held_ = Reading{0, std::move(reading.then)};
  reading.then =
      SourceFault{"samples_scaled",
                  "The pushed floating-point samples are 16-bit integers. They are scaled to the range from -1 "
                  "to 1; push them as 16-bit integers, or divide them by 32768.",
                  true};
  return reading;
}

void PushedAudio::close() noexcept {
  held_.reset();
  if (std::exchange(is_open_, false)) stream_->close();
}

}  // namespace capture

// The producer's end: the stream ends with the last handle.
struct PushSource::Feed {
  explicit Feed(AudioFormat format, std::size_t capacity_frames)
      : stream(std::make_shared<capture::PushStream>(format, capacity_frames)) {}
  ~Feed() { stream->finish(); }

  const std::shared_ptr<capture::PushStream> stream;
};

PushSource::PushSource(AudioFormat format, std::chrono::milliseconds capacity) {
  audio::require_usable(format, "The push source");
  if (capacity < std::chrono::milliseconds(100) || capacity > std::chrono::minutes(10)) {
    throw RecorderError(Errc::invalid_argument, "A push source keeps between 100 ms and 10 minutes of audio.");
  }
  feed_ = std::make_shared<Feed>(format, static_cast<std::size_t>(capacity.count() * format.sample_rate / 1000));
}

std::size_t PushSource::push(std::span<const float> interleaved) {
  return feed_->stream->push(interleaved);
}
std::size_t PushSource::push(std::span<const std::int16_t> interleaved) {
  return feed_->stream->push(interleaved);
}
std::size_t PushSource::room() const noexcept {
  return feed_->stream->room();
}
void PushSource::finish() noexcept {
  feed_->stream->finish();
}

std::function<std::unique_ptr<AudioSource>()> PushSource::source_factory() const {
  return [stream = feed_->stream] { return std::make_unique<capture::PushedAudio>(stream); };
}

}  // namespace dictum
