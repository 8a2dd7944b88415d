#include "vad/detector.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/guarded.hpp"
#include "dictum/error.hpp"
#include "vad/embedded_model.hpp"
#include "vad/energy_vad.hpp"
#include "vad/silero_vad.hpp"

namespace dictum::vad {

std::shared_ptr<const SileroWeights> embedded_weights() {
  const auto model = embedded_model();
  if (model.empty()) return nullptr;
  // Of all detectors of the process: with weights of its own for each, many streams would read them from memory instead
  // of a cache.
  static Guarded<std::weak_ptr<const SileroWeights>> in_use;
  const auto known = in_use.lock();
  auto weights = known->lock();
  if (!weights) {
    weights = SileroWeights::load(model);
    *known = weights;
  }
  return weights;
}

MadeDetector make_detector(std::string_view name, std::shared_ptr<const SileroWeights> weights) {
  if (name == "silero" && weights) return {std::make_unique<SileroVAD>(std::move(weights)), false};
  if (name == "silero" || name == "energy") return {std::make_unique<EnergyVAD>(), name == "silero"};
  throw RecorderError(Errc::invalid_argument,
                      fmt::format("there is no speech detector \"{}\"; choose silero or energy", name));
}

}  // namespace dictum::vad
