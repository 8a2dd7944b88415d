#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "pulse/connection.hpp"

namespace dictum::playback {

/// Plays mono sound through the default output.
///
/// Threads: one, which owns it and blocks while audio is played; a stop request from any other thread ends that at
/// once. Every call throws RecorderError where no sound server can be reached, or it makes no progress within three
/// seconds.
class Player {
 public:
  explicit Player(int sample_rate, std::stop_token stop = {});
  ~Player();

  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// Returns once all of `mono` was sent, at most 200 ms of it not yet played; false where a stop was requested.
  bool play(std::span<const float> mono);

  /// Returns once everything was played; false where a stop was requested.
  bool drain();

 private:
  bool is_good() const;
  [[noreturn]] void fail() const;

  std::stop_token stop_;
  pulse::Connection connection_;
  pulse::StreamHandle stream_;
  std::stop_callback<std::function<void()>> interrupt_;
};

}  // namespace dictum::playback
