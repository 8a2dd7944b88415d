#include "vad/detector.hpp"

#include <fmt/format.h>

#include <utility>

#include "dictum/error.hpp"
#include "vad/embedded_model.hpp"
#include "vad/energy_vad.hpp"
#include "vad/silero_vad.hpp"

namespace dictum::vad {

std::shared_ptr<const SileroWeights> load_embedded_weights() {
  const auto model = embedded_model();
  return model.empty() ? nullptr : SileroWeights::load(model);
}

MadeDetector make_detector(std::string_view name, std::shared_ptr<const SileroWeights> weights) {
  if (name == "silero" && weights) return {std::make_unique<SileroVAD>(std::move(weights)), false};
  if (name == "silero" || name == "energy") return {std::make_unique<EnergyVAD>(), name == "silero"};
  throw RecorderError(Errc::invalid_argument,
                      fmt::format("there is no speech detector \"{}\"; choose silero or energy", name));
}

}  // namespace dictum::vad
