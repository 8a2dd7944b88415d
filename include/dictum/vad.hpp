#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "dictum/frame.hpp"

namespace dictum {

/// The detector processes mono audio at this rate, in windows of this many samples, whatever the capture rate is.
inline constexpr int kVADSampleRate = 16000;
inline constexpr std::size_t kVADWindow = 512;

/// Estimates how likely a window of audio holds speech. Stateful: it processes one stream from its start, window by
/// window.
/// Threads: one at a time. User code may supply its own (`RecorderConfig::detector`).
class VoiceActivityDetector {
 public:
  virtual ~VoiceActivityDetector() = default;

  /// The probability, 0 to 1, that this window holds speech; the windows of a stream follow each other without a hole.
  /// Must not block.
  virtual float probability(std::span<const float, kVADWindow> window) = 0;

  /// Forgets the stream: the next window is the first of a new one.
  virtual void reset() = 0;

  /// Called before the first window of each stream, at the start and after every `reset`: the frame of the session, at
  /// the capture rate, at which the stream begins. Few detectors need to know.
  virtual void begin_at(Frame /*frame*/) {}

  /// For the manifest and for people, for example "silero".
  virtual std::string_view name() const = 0;
};

}  // namespace dictum
