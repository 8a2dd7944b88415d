// Reads any bytes as the stored probabilities of a session: they are refused, or are probabilities in order of time.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dictum/error.hpp"
#include "session/probabilities.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    dictum::Frame last = -1;
    for (const auto& stretch : dictum::session::parse_probabilities({reinterpret_cast<const char*>(data), size})) {
      if (stretch.start_frame <= last) std::abort();
      last = stretch.start_frame;
      for (const float value : stretch.values) {
        if (!(value >= 0 && value <= 1)) std::abort();
      }
    }
  } catch (const dictum::RecorderError&) {
  }
  return 0;
}
