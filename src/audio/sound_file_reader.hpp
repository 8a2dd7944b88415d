#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/unique_fd.hpp"
#include "dictum/source.hpp"

struct sf_private_tag;  // libsndfile's handle

namespace dictum::audio {

/// Reads a sound file, whatever libsndfile can read: WAV, FLAC, Ogg, MP3, AIFF and more, of any sample format. A file
/// that ends before its header says so is read as far as it goes.
///
/// One thread at a time; owned by whoever reads. The constructor throws RecorderError: input_not_found where there is
/// no such file, input_unreadable where it cannot be read, is no sound, holds no audio, or has a rate or a number of
/// channels outside the limits in "audio/format.hpp".
class SoundFileReader {
 public:
  explicit SoundFileReader(const std::filesystem::path& path);

  AudioFormat format() const { return format_; }

  /// As far as the file itself tells; -1 where it does not. What `read` delivers is the truth.
  std::int64_t frames() const { return frames_; }

  /// Reads whole frames, as many as fit: fewer only at the end, 0 after it. Where the file is damaged, reading ends
  /// there, and `problem` tells.
  std::size_t read(std::span<float> interleaved);

  /// Goes on from `frame`. Throws RecorderError(input_unreadable) where the file cannot.
  void seek(std::int64_t frame);

  /// Why less is read than the file should hold; empty where all of it is.
  const std::string& problem() const { return problem_; }

  /// How many samples so far were no finite numbers; they are delivered as 0.
  std::int64_t repaired_samples() const { return repaired_samples_; }

 private:
  struct Closer {
    void operator()(sf_private_tag* file) const;
  };

  std::filesystem::path path_;
  UniqueFD fd_;
  std::unique_ptr<sf_private_tag, Closer> file_;
  AudioFormat format_;
  std::int64_t frames_ = -1;
  std::int64_t repaired_samples_ = 0;
  std::string problem_;
};

}  // namespace dictum::audio
