#pragma once

#include <span>

namespace dictum::audio {

/// Recognises a stream of 16-bit integers that were converted to float without being scaled, and scales it: at full
/// scale 32768 instead of 1, every sample would be clipped.
///
/// A stream is recognised by its first block of which `float_scale` says so. Everything from that block on is scaled.
///
/// One thread at a time; owned by whoever owns the stream. A value; never fails.
class IntegerSamples {
 public:
  /// Scales `samples` in place where the stream is one of integers. True where it has just been recognised.
  bool scale(std::span<float> samples);

 private:
  float factor_ = 1.0F;
};

}  // namespace dictum::audio
