#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dictum/source.hpp"

namespace dictum::audio {

/// The samples of one input, by whatever reads its kind.
///
/// One thread at a time; owned by a SoundInput. Nothing throws after the construction: what is wrong with the input
/// becomes a notice, and the samples end.
class SampleReader {
 public:
  enum class State {
    more,     ///< read again
    waiting,  ///< nothing has arrived: `wait`, or come again later
    over      ///< nothing follows
  };
  struct Step {
    std::size_t frames = 0;
    State state = State::more;
  };

  virtual ~SampleReader() = default;

  AudioFormat format() const { return format_; }

  /// How many frames there will be, as far as the input announces it; else -1. What `read` delivers counts.
  std::int64_t frames() const { return frames_; }

  /// Reads whole frames, as many as have arrived and fit. Never waits for the writer of a pipe.
  virtual Step read(std::span<float> interleaved) = 0;

  /// Waits until `read` may deliver more.
  virtual void wait(std::chrono::milliseconds patience) = 0;

  /// Continues from `frame`; false where this input cannot.
  virtual bool seek(std::int64_t /*frame*/) { return false; }

  /// What is wrong with the input, one sentence each, since the last call.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

  /// Whether the input broke off by a failure of reading it, and not by what it holds.
  bool has_failed() const { return has_failed_; }

 protected:
  AudioFormat format_;
  std::int64_t frames_ = -1;
  std::vector<std::string> notices_;
  bool has_failed_ = false;
};

}  // namespace dictum::audio
