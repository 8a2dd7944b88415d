#include "pulse/libpulse.hpp"

namespace dictum::pulse {

const LibPulse& libpulse() {
  static const LibPulse functions;
  return functions;
}

}  // namespace dictum::pulse
