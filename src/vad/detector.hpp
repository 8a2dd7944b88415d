#pragma once

#include <memory>
#include <string_view>

#include "dictum/vad.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// The weights of the built-in model, to be loaded once and shared by every detector of a program; null where the
/// build had no model. Takes about a millisecond.
std::shared_ptr<const SileroWeights> load_embedded_weights();

struct MadeDetector {
  std::unique_ptr<VoiceActivityDetector> detector;
  bool fell_back_to_energy;  ///< Silero was requested but the build has no weights; the user must be notified
};

/// The detector of that name: `silero`, which runs on `weights`, or `energy`. Throws RecorderError(invalid_argument)
/// for another name.
MadeDetector make_detector(std::string_view name, std::shared_ptr<const SileroWeights> weights);

}  // namespace dictum::vad
