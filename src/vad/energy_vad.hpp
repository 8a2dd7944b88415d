#pragma once

#include <array>

#include "dictum/vad.hpp"

namespace dictum::vad {

/// Speech probability from loudness above the quietest of the last two seconds: the stand-in where the Silero model is
/// not there. It takes any sound that rises out of the background for speech.
///
/// Threads: one at a time, any. Owner: one stream. Nothing fails, nothing is allocated.
class EnergyVAD final : public VoiceActivityDetector {
 public:
  float probability(std::span<const float, kVADWindow> window) override;
  void reset() override { *this = {}; }
  std::string_view name() const override { return "energy"; }

 private:
  static constexpr std::size_t kRemembered = 62;  ///< windows, two seconds: longer than speech goes without a breath
  static constexpr float kQuietest = -90;
  static constexpr float kFirstFloor = -50;  ///< of a quiet room, until the stream has shown its own background

  using Levels = std::array<float, kRemembered>;
  static constexpr Levels quiet_room() {
    Levels levels{};
    levels.fill(kFirstFloor);
    return levels;
  }

  float level_db_ = kQuietest;       ///< of the last windows, smoothed
  Levels recent_db_ = quiet_room();  ///< a ring of what was heard; the background is the quietest of it
  std::size_t next_ = 0;
};

}  // namespace dictum::vad
