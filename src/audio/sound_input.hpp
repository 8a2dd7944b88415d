#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "audio/raw_format.hpp"
#include "audio/sample_reader.hpp"
#include "base/unique_fd.hpp"

namespace dictum::audio {

/// The sound in a file or a pipe, whatever its kind: the same bytes give the same samples from both. Plain samples are
/// read by PCMReader; everything else is decoded in a process of its own (DecoderProcess), or, where the program for
/// that is not installed, by libsndfile (files only). At its end every difference between what the input announced and
/// what it held has become a notice.
///
/// One thread at a time; owned by whoever reads. The constructor waits for the beginning of the sound, up to
/// `deadline`; it throws RecorderError: timed_out, or input_unreadable where this is no sound, holds none, or is
/// outside the limits in "audio/format.hpp". Reading does not throw.
class SoundInput {
 public:
  using State = SampleReader::State;
  using Step = SampleReader::Step;

  /// `name` begins every message, for example "standard input". `raw`: how samples without a header are stored.
  SoundInput(UniqueFD fd, std::string name, std::optional<RawFormat> raw, std::chrono::milliseconds deadline);

  AudioFormat format() const { return reader_->format(); }
  std::int64_t frames() const { return reader_->frames(); }

  /// Reads whole frames, as many as have arrived and fit. Samples that are no finite numbers become 0.
  Step read(std::span<float> interleaved);

  void wait(std::chrono::milliseconds patience) { reader_->wait(patience); }
  bool seek(std::int64_t frame) { return reader_->seek(frame); }

  /// One sentence about what is wrong with the input; empty where there is nothing more to report.
  std::optional<std::string> take_notice();

  /// Whether reading failed, rather than the input being damaged.
  bool has_failed() const { return reader_->has_failed(); }

  std::int64_t repaired_samples() const { return repaired_samples_; }

 private:
  const std::string name_;
  std::unique_ptr<SampleReader> reader_;
  std::deque<std::string> notices_;
  std::int64_t repaired_samples_ = 0;
  bool is_over_ = false;
};

}  // namespace dictum::audio
