#include "capture/make_microphone.hpp"

#include <utility>

#include "capture/backend.hpp"
#include "capture/microphone.hpp"

namespace dictum::capture {

std::unique_ptr<AudioSource> make_microphone(const std::string& backend, std::string device,
                                             std::shared_ptr<const Clock> clock) {
  return std::make_unique<Microphone>(select_backends(backend), std::move(device), std::move(clock));
}

}  // namespace dictum::capture
