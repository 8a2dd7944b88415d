#pragma once

#include <span>

namespace dictum::audio {

/// Recognises a stream of 16-bit integers that were converted to float without being scaled, and scales it: at full
/// scale 32768 instead of 1, every sample would be clipped.
///
/// A stream is recognised by its first block that holds whole numbers only, one of them beyond 1, or any sample beyond
/// 64, which is 36 dB above full scale; it is not where a sample does not fit 16 bits. Everything from that block on is
/// scaled.
///
/// One thread at a time; owned by whoever owns the stream. A value; never fails.
class IntegerSamples {
 public:
  /// Scales `samples` in place where the stream is one of integers. True where it has just been recognised.
  bool scale(std::span<float> samples);

 private:
  bool is_recognized_ = false;
};

}  // namespace dictum::audio
