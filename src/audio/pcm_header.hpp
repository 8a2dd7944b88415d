#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "audio/sample_format.hpp"
#include "dictum/source.hpp"

namespace dictum::audio {

/// The files that hold plain samples behind a header.
enum class PCMContainer { wav, big_endian_wav, w64, aiff, au, caf, raw };

/// Where the samples of such a file are, and what they are.
struct PCMHeader {
  PCMContainer container{};
  AudioFormat format;
  SampleFormat sample{};
  std::size_t frame_bytes = 0;    ///< from one frame to the next: larger than the samples where a writer pads them
  std::size_t audio_begin = 0;    ///< bytes from the beginning of the file
  std::uint64_t audio_bytes = 0;  ///< as announced; 0 where nothing is
  bool is_certain = false;        ///< whether `audio_bytes` is a length, and not what writers say that do not know it
};

/// This many bytes from the beginning of the file are needed to say more.
struct NeedsBytes {
  std::size_t count = 0;
};

/// No container of plain samples, or one whose samples are compressed.
struct NotPCM {};

using PCMHeaderResult = std::variant<PCMHeader, NeedsBytes, NotPCM>;

/// Headers beyond this size (pictures, notes) are refused.
inline constexpr std::size_t kMaxHeaderBytes = 16U << 20;

/// Reads the header of WAV (RIFF, RIFX, RF64, BW64), Wave64, AIFF, AIFF-C, AU and CAF from the first bytes of a file or
/// a stream. `NeedsBytes` asks for no more than the header has, so that no audio is taken from a pipe. At most 4096
/// chunks are looked at.
///
/// Throws RecorderError(input_unreadable) for a damaged header, and for rates and channels outside the limits in
/// "audio/format.hpp". Safe from any thread.
PCMHeaderResult parse_pcm_header(std::span<const std::byte> beginning);

/// Whether `bytes` (12 are enough) begin one of these containers.
bool begins_pcm_container(std::span<const std::byte> bytes) noexcept;

}  // namespace dictum::audio
