#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "audio/sound_file_reader.hpp"
#include "base/unique_fd.hpp"
#include "capture/pacer.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A sound file that stands in for a microphone. What is wrong with it (a missing end, samples that are no numbers) is
/// reported as SourceFaults before the SourceEnd.
///
/// Threads and owner as AudioSource says. `open` throws what SoundFileReader's constructor does. The file stays open
/// while the source is closed, so that it goes on at the very next frame when opened again; destruction closes it.
class FileSource final : public AudioSource {
 public:
  /// Every reading holds `block_frames` frames (0: 100 ms), or what fits the buffer where that is less; the last one
  /// the remainder. In real time a block is delivered once all of it would have been recorded. `raw` is how samples
  /// without a header are stored.
  FileSource(std::filesystem::path path, Pace pace, int block_frames, std::shared_ptr<const Clock> clock,
             std::optional<audio::RawFormat> raw = std::nullopt);

  /// A file that is open already, as fast as it is read; `name` is what sentences call it.
  FileSource(UniqueFD file, std::filesystem::path name);

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return pacer_.interval(); }
  std::string description() const override;

 private:
  Reading with_notice(std::size_t frames);

  const std::filesystem::path path_;
  UniqueFD file_;  // until it is read, where it is open already
  const std::optional<audio::RawFormat> raw_;
  const int block_frames_;
  Pacer pacer_;
  std::optional<audio::SoundFileReader> reader_;  // from the first open() on
  std::vector<float> block_;                      // what a slow decoder has delivered of the next block
  std::size_t block_samples_ = 0;
  std::chrono::milliseconds waited_{};  // for the decoder
  Frame position_ = 0;
  bool ended_ = false;
};

}  // namespace dictum::capture
