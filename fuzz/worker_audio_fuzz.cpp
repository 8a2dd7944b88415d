// WAV files as a worker finds them: whole, growing, damaged, foreign.

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dictum/error.hpp"
#include "worker_audio.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("wav", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) return 0;
  try {
    const auto audio = dictum::workers::read_worker_audio(path);
    for (const float sample : audio.samples) {
      if (!std::isfinite(sample)) __builtin_trap();
    }
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
  return 0;
}
