#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace dictum::vad {

/// The first step of the network: the magnitudes of the spectra of four overlapping frames. The model holds this step
/// as a matrix. Where the matrix is a Hann window times a Fourier transform, as in the official model, a fast Fourier
/// transform takes its place; any other matrix is multiplied as it is, which takes about ten times as long.
///
/// Threads: immutable, safe from any. Owner: SileroWeights.
class STFT {
 public:
  static constexpr std::size_t kSize = 256;  ///< samples in a frame
  static constexpr std::size_t kHop = 128;
  static constexpr std::size_t kFrames = 4;
  static constexpr std::size_t kSamples = kSize + (kFrames - 1) * kHop;
  static constexpr std::size_t kBins = kSize / 2 + 1;

  /// `basis` holds kBins rows for the real parts, then kBins rows for the imaginary parts, of kSize values each.
  explicit STFT(std::span<const float> basis);

  /// Writes kFrames rows of kBins magnitudes, with the widest vectors that the processor has. `signal` must be aligned
  /// to 64 bytes.
  void magnitudes(std::span<const float, kSamples> signal, std::span<float, kFrames * kBins> out) const;

  bool is_fast() const { return matrix_.empty(); }

  // For the kernels.

  static constexpr std::size_t kRadix = 4;
  static constexpr std::size_t kQuarter = kSize / kRadix;  ///< butterflies in a pass

  /// The factors of the second to fourth output of each butterfly of one pass.
  struct Twiddles {
    alignas(64) std::array<float, (kRadix - 1) * kQuarter> re;
    alignas(64) std::array<float, (kRadix - 1) * kQuarter> im;
  };

  /// Half the Hann window: the spectra of two frames that are transformed together come out twice as large.
  const std::array<float, kSize>& half_window() const { return half_window_; }
  const Twiddles& twiddles(std::size_t pass) const { return twiddles_[pass]; }
  const std::vector<float>& matrix() const { return matrix_; }  ///< kSize rows of 2 * kBins; empty if is_fast()

 private:
  alignas(64) std::array<float, kSize> half_window_;
  std::array<Twiddles, 3> twiddles_;  ///< the fourth pass has none
  std::vector<float> matrix_;
};

}  // namespace dictum::vad
