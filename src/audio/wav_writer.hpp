#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "audio/output_file.hpp"
#include "dictum/frame.hpp"

namespace dictum::audio {

/// The header of a mono 16-bit WAV: 44 bytes.
std::string wav_header(Frame frames, int sample_rate);

/// Writes a mono 16-bit WAV that is valid at every moment, also after `kill -9`: samples are written first and
/// announced by the header then, and a file is cut after its header says less. A header's two sizes change in one
/// write.
///
/// One thread at a time; owned by whoever keeps the segment. Every function but `frames` throws RecorderError,
/// disk_full or output_unwritable. A failed `append` leaves the file as it was before, so the same samples can be tried
/// again; so can a failed `truncate`; the first constructor leaves no file where it throws.
class WAVWriter {
 public:
  /// Makes the file (mode 0600) with no samples in it; one of that name must not exist.
  WAVWriter(const std::filesystem::path& path, int sample_rate);

  /// The same in a file that was made already, and is empty; it stays where the constructor throws.
  WAVWriter(OutputFile file, int sample_rate);

  void append(std::span<const std::int16_t> samples);

  /// Frames in the file.
  Frame frames() const { return frames_; }

  /// Drops all frames from `frames` on; does nothing where there are no more than that.
  void truncate(Frame frames);

  /// Ends the file and reports errors that were kept back until then. Nothing else may be called after it. A writer
  /// that is destroyed without it leaves the same file.
  void close();

  OutputFile& file() { return file_; }

 private:
  void write_samples(std::span<const std::int16_t> samples);
  void write_header();

  OutputFile file_;
  const int sample_rate_;
  Frame frames_ = 0;
};

}  // namespace dictum::audio
