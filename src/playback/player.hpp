#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "pulse/connection.hpp"

namespace dictum::playback {

/// Plays mono sound through the default output.
///
/// Threads: one, which owns it and is blocked while sound is taken; a stop asked for on any other ends that at once.
/// Every call throws RecorderError where no sound server answers, or it does not go on within three seconds.
class Player {
 public:
  explicit Player(int sample_rate, std::stop_token stop = {});
  ~Player();

  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// Returns once all of `mono` is on its way, at most 200 ms of it unheard; false where a stop was asked for.
  bool play(std::span<const float> mono);

  /// Returns once everything was heard; false where a stop was asked for.
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
