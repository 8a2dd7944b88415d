#include "capture/make_microphone.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "capture/microphone.hpp"
#include "capture/portaudio_stream.hpp"
#include "capture/pulse_stream.hpp"
#include "dictum/error.hpp"

namespace dictum::capture {

std::unique_ptr<AudioSource> make_microphone(const std::string& backend, std::string device,
                                             std::shared_ptr<const Clock> clock) {
  std::vector<Microphone::Connect> backends;
  if (backend == "pulse" || backend == "auto") backends.emplace_back(&connect_pulse);
  if (backend == "portaudio" || (backend == "auto" && has_portaudio())) backends.emplace_back(&connect_portaudio);
  if (backends.empty()) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("There is no capture backend \"{}\": take auto, pulse or portaudio.", backend));
  }
  return std::make_unique<Microphone>(std::move(backends), std::move(device), std::move(clock));
}

}  // namespace dictum::capture
