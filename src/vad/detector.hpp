#pragma once

#include <memory>
#include <string_view>

#include "dictum/vad.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// The weights of the built-in model, shared by all that hold them at a time; null where the build had no model.
/// Loading them takes about a millisecond. Thread safety: any thread.
std::shared_ptr<const SileroWeights> embedded_weights();

struct MadeDetector {
  std::unique_ptr<VoiceActivityDetector> detector;
  bool fell_back_to_energy;  ///< Silero was requested but the build has no weights; the user must be notified
};

/// The detector of that name: `silero`, which runs on `weights`, or `energy`. Throws RecorderError(invalid_argument)
/// for another name.
MadeDetector make_detector(std::string_view name, std::shared_ptr<const SileroWeights> weights);

}  // namespace dictum::vad
