// Reads any bytes as a sound file, through the same descriptor-based path as a real one: it is refused with a sentence,
// or gives finite samples and comes to an end. Plain samples are read in this process, also behind one another; what is
// compressed goes to libsndfile, in this process as well, since no decoder is installed beside a fuzzer.

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "audio/sound_file_reader.hpp"
#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

// libsndfile 1.2 forgets a few kilobytes of an Ogg file that it refuses. Ours would show in other places.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libvorbis\nleak:libogg\nleak:libopus\nleak:libsndfile\n";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dictum::UniqueFD file(::memfd_create("sound", MFD_CLOEXEC));
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    dictum::audio::SoundFileReader reader(fmt::format("/proc/self/fd/{}", file.get()));
    std::vector<float> block(static_cast<std::size_t>(reader.format().channels) * 4096);
    for (int i = 0; i < 64; ++i) {  // a header may promise hours that a decoder makes up from nothing
      const std::size_t frames = reader.read(block);
      for (const float sample : block) {
        if (!std::isfinite(sample)) std::abort();
      }
      if (frames < 4096) break;
    }
  } catch (const dictum::RecorderError&) {
  }
  return 0;
}
