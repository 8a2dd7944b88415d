#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/frame.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::cluster {

/// The audio of a job: mono PCM16. A plain value.
struct Sound {
  std::vector<std::int16_t> samples;
  int sample_rate{};
  Frame first_frame{};  ///< of the file, where `samples` begins

  Frame frames() const { return static_cast<Frame>(samples.size()); }
  double seconds() const { return static_cast<double>(samples.size()) / sample_rate; }
};

/// Reads a mono PCM16 WAV, or a range of it; the file may still be growing behind the range. Blocks. Throws
/// RecorderError(input_not_found, input_unreadable, invalid_argument).
Sound read_sound(const std::filesystem::path& wav, std::optional<transcription::FrameRange> range);

/// The samples as a FLAC file, without loss; in about half the bytes.
std::string to_flac(const Sound& sound);

/// The samples of a FLAC file that came from outside, at most `max_frames` of them. Throws
/// RecorderError(input_unreadable).
Sound from_flac(std::string_view flac, Frame max_frames);

/// Writes a WAV file of mode 0600. Throws RecorderError(output_unwritable).
void write_wav(const std::filesystem::path& path, const Sound& sound);

}  // namespace dictum::cluster
