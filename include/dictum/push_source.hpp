#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "dictum/export.hpp"
#include "dictum/source.hpp"

namespace dictum {

/// Audio that the application itself feeds to a recorder, for a host with an audio stack of its own:
///
///     PushSource microphone({.sample_rate = 48000, .channels = 2});
///     config.source = microphone.source_factory();
///     ...                                   // once recording has begun:
///     microphone.push(samples);             // also from an audio callback
///     microphone.finish();                  // the recording ends by itself
///
/// A handle: copies feed the same stream, and the stream ends when the last one is gone. It may go before the recorder
/// does, and the recorder before it. One recording at a time listens to it; several may do so one after the other.
///
/// Threads: `push`, `room` and `finish` from any one thread at a time; they never block, allocate or wait. `push`
/// throws only where the samples are no whole frames.
class DICTUM_API PushSource {
 public:
  /// Keeps up to `capacity` (100 ms to 10 minutes) of audio that the recorder has not read yet. Throws
  /// RecorderError(invalid_argument).
  explicit PushSource(AudioFormat format, std::chrono::milliseconds capacity = std::chrono::seconds(10));

  /// Takes interleaved samples, whole frames of them, and returns how many frames were kept. While nobody records, or
  /// the recording is paused, that is none. What finds no room while recording becomes an AudioGap (`overflow`) of
  /// exactly that length in exactly that place.
  std::size_t push(std::span<const float> interleaved);
  std::size_t push(std::span<const std::int16_t> interleaved);

  /// Frames that `push` would keep now: for a producer that is faster than real time.
  std::size_t room() const noexcept;

  /// Ends the stream for good, after what has been pushed.
  void finish() noexcept;

  /// For `RecorderConfig::source`. While one recording listens, the start of another fails with `device_busy`.
  std::function<std::unique_ptr<AudioSource>()> source_factory() const;

 private:
  struct Feed;
  std::shared_ptr<Feed> feed_;
};

}  // namespace dictum
