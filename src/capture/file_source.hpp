#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "audio/sound_file_reader.hpp"
#include "capture/pacer.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A sound file that stands in for a microphone. A damaged end and samples that are no numbers are told as SourceFaults
/// before the SourceEnd.
///
/// Threads and owner as AudioSource says. `open` throws what SoundFileReader's constructor does. The file stays open
/// while the source is closed, so that it goes on at the very next frame when opened again; destruction closes it.
class FileSource final : public AudioSource {
 public:
  /// Every reading holds `block_frames` frames (0: 100 ms), or what fits the buffer where that is less; the last one
  /// what is left. In real time a block is delivered once all of it would have been recorded.
  FileSource(std::filesystem::path path, Pace pace, int block_frames, std::shared_ptr<const Clock> clock);

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return pacer_.interval(); }
  std::string description() const override;

 private:
  Reading ending(std::size_t frames);

  const std::filesystem::path path_;
  const int block_frames_;
  Pacer pacer_;
  std::optional<audio::SoundFileReader> reader_;  // from the first open() on
  Frame position_ = 0;
  bool ended_ = false;
  bool told_problem_ = false;
  bool told_repairs_ = false;
};

}  // namespace dictum::capture
