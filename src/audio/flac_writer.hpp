#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "audio/output_file.hpp"
#include "dictum/frame.hpp"

struct sf_private_tag;  // libsndfile's handle

namespace dictum::audio {

/// Writes a mono 16-bit FLAC file: a whole timeline, in about half the size of a WAV. After `kill -9` the file can be
/// read up to a quarter of a second before its end.
///
/// One thread at a time; owned by whoever keeps the timeline. Every function but `frames` throws RecorderError,
/// disk_full or output_unwritable. After a failed `append` the file stays readable and takes no more.
class FLACWriter {
 public:
  /// Makes the file (mode 0600); one of that name must not exist. FLAC knows rates up to 655,350 Hz.
  FLACWriter(const std::filesystem::path& path, int sample_rate);
  ~FLACWriter();

  void append(std::span<const std::int16_t> samples);

  /// Frames that were appended.
  Frame frames() const { return frames_; }

  OutputFile& file();

  /// Writes what the encoder still holds and ends the file. Nothing else may be called after it. The destructor does
  /// the same and swallows errors.
  void close();

 private:
  struct Output;
  struct Closer {
    void operator()(sf_private_tag* file) const;
  };

  std::unique_ptr<Output> output_;
  std::unique_ptr<sf_private_tag, Closer> file_;
  Frame frames_ = 0;
};

}  // namespace dictum::audio
