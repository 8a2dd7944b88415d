#include "vad/make_detector.hpp"

#include <utility>

#include "dictum/error.hpp"
#include "vad/detector.hpp"
#include "vad/rescue_gain.hpp"

namespace dictum::vad {

std::pair<std::unique_ptr<VoiceActivityDetector>, std::optional<EventError>> make_detector(
    const RecorderConfig& config) {
  if (config.detector) {
    auto detector = config.detector();
    if (!detector) {
      throw RecorderError(
          Errc::invalid_argument,
          "The configuration's detector factory returned a null pointer: let it return a VoiceActivityDetector.");
    }
    return {std::move(detector), std::nullopt};
  }
  auto made = make_detector(config.vad.detector, config.vad.detector == "silero" ? embedded_weights() : nullptr);
  if (config.vad.detector == "silero" && !made.fell_back_to_energy && config.vad.rescue_gain) {
    made.detector = std::make_unique<RescuedVAD>(std::move(made.detector));
  }
  if (!made.fell_back_to_energy) return {std::move(made.detector), std::nullopt};
  return {std::move(made.detector),
          EventError{to_string(Errc::model_missing),
                     "This build has no Silero model, so speech is found by its energy only, which mistakes noise for "
                     "speech: run ./setup and build again."}};
}

}  // namespace dictum::vad
