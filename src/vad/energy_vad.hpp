#pragma once

#include <array>

#include "dictum/vad.hpp"

namespace dictum::vad {

/// Speech probability from the level above the quietest window of the last two seconds: used where there is no Silero
/// model. Any sound that rises out of the background counts as speech.
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
  static constexpr float kFirstFloor = -50;  ///< background of a quiet place, until the stream has shown its own

  using Levels = std::array<float, kRemembered>;
  static constexpr Levels quiet_background() {
    Levels levels{};
    levels.fill(kFirstFloor);
    return levels;
  }

  float level_db_ = kQuietest;             ///< of the last windows, smoothed
  Levels recent_db_ = quiet_background();  ///< a ring of window levels; the background is the least of them
  std::size_t next_ = 0;
};

}  // namespace dictum::vad
