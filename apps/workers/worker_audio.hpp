#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "dictum/frame.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::workers {

/// The sample rate of the input of every engine of ours.
inline constexpr int kEngineRate = 16000;

/// A segment as input of an engine: mono at 16 kHz, with the way back to the session's clock. A plain value.
struct WorkerAudio {
  std::vector<float> samples;  ///< 16 kHz, within -1 to 1
  int sample_rate{};           ///< of the WAV
  Frame first_frame{};         ///< of `samples`, counted from the WAV's first
  Frame frames{};              ///< of the WAV that `samples` covers

  double seconds() const { return static_cast<double>(frames) / sample_rate; }

  /// The place in the WAV of a moment of `samples`; a moment outside is moved to the nearest end.
  Frame frame_at(double second) const;
};

/// Reads a mono or multichannel WAV (channels are averaged) of any rate, resampled to 16 kHz. A WAV that is still being
/// written gives what its header vouches for; a range that reaches beyond gives what is there, which may be nothing.
/// Blocks. Throws RecorderError(input_not_found, input_unreadable, invalid_argument).
WorkerAudio read_worker_audio(const std::filesystem::path& wav,
                              std::optional<transcription::FrameRange> range = std::nullopt);

/// The same samples as 16-bit integers, saturated.
std::vector<std::int16_t> to_pcm16(std::span<const float> samples);

}  // namespace dictum::workers
