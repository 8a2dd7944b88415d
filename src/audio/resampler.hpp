#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace dictum::audio {

/// Changes the sample rate of one endless stream, block by block.
///
/// Output n is the band-limited value of the input at position n * from / to: the filter's delay is taken out, what
/// came before the start counts as zeros. The outputs do not depend, to the bit, on how the input was cut into blocks.
/// N inputs give ceil(N * to / from) outputs once flushed, those whose positions lie before the input's end. Equal
/// rates copy.
///
/// A polyphase FIR: a sinc cut at 0.45 of the lower rate under a Kaiser window (beta 8) of 32 periods of the lower
/// rate. Flat within 0.1 dB to 0.35 of the lower rate, 85 dB down from 0.5625 of it (9 kHz for 16 kHz).
///
/// One thread at a time; owned by whoever owns the stream. Only the constructor fails, and `out` may run out of memory.
class Resampler {
 public:
  /// Rates from 1 to 768,000 Hz to rates from 4,000 to 768,000 Hz; else throws RecorderError(invalid_argument).
  explicit Resampler(int from_rate, int to_rate = 16000);

  /// Appends to `out` the outputs that `in` completes.
  void process(std::span<const float> in, std::vector<float>& out);

  /// Appends the outputs that are left, as if zeros followed. The stream is over: the next input begins a new one.
  void flush(std::vector<float>& out);

  /// Forgets the stream: the next input begins a new one.
  void reset();

  /// How much later than its own position an output appears, because the filter looks ahead.
  double delay_ms() const;

 private:
  void produce(std::vector<float>& out);
  float filtered(const float* window) const;

  const int from_rate_;
  float (*const dot_)(const float* a, const float* b, std::size_t size);  // the fastest that the processor has
  // Output n stands at input position n * step_ / phases_, in lowest terms: where its window begins in history_, and
  // the fraction of an input sample (phase_ / phases_) beyond that.
  std::size_t phases_ = 1;
  std::size_t step_ = 1;
  std::size_t start_ = 0;
  std::size_t phase_ = 0;

  // The filter at rows_ + 1 fractions of an input sample, taps_ values each. Where phases_ would make the table too
  // large, there are fewer rows, and an output is interpolated between two.
  std::size_t look_ahead_ = 0;
  std::size_t taps_ = 0;
  std::size_t rows_ = 0;
  std::vector<float> table_;

  std::vector<float> history_;
};

}  // namespace dictum::audio
