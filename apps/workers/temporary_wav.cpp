#include "temporary_wav.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "dictum/error.hpp"
#include "worker_audio.hpp"

namespace dictum::workers {
namespace {

template <class Integer>
void append(std::string& out, Integer value) {
  for (std::size_t byte = 0; byte < sizeof value; ++byte) out += static_cast<char>((value >> (8 * byte)) & 0xff);
}

}  // namespace

std::string wav_bytes(std::span<const float> samples) {
  constexpr std::uint32_t kRate = kEngineRate;
  const auto data = static_cast<std::uint32_t>(samples.size() * 2);  // at most two hours: 230 MB
  std::string out = "RIFF";
  append(out, data + 36);
  out += "WAVEfmt ";
  append(out, std::uint32_t{16});
  append(out, std::uint16_t{1});  // PCM
  append(out, std::uint16_t{1});  // channels
  append(out, kRate);
  append(out, kRate * 2);         // bytes a second
  append(out, std::uint16_t{2});  // bytes a frame
  append(out, std::uint16_t{16});
  out += "data";
  append(out, data);
  for (const std::int16_t sample : to_pcm16(samples)) append(out, static_cast<std::uint16_t>(sample));
  return out;
}

TemporaryWAV::TemporaryWAV(std::span<const float> samples) : memory_(::memfd_create("dictum-segment", MFD_CLOEXEC)) {
  const auto fail = [](int error) {
    throw RecorderError(error == ENOSPC ? Errc::disk_full : Errc::output_unwritable,
                        fmt::format("A temporary sound file cannot be written: {}.", std::strerror(error)));
  };
  if (!memory_ || ::fchmod(memory_.get(), 0600) != 0) fail(errno);
  const std::string bytes = wav_bytes(samples);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(memory_.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(errno);
    done += static_cast<std::size_t>(written);
  }
  const std::string target = fmt::format("/proc/self/fd/{}", memory_.get());
  constexpr int kMaxTries = 1000;
  for (int i = 0; i < kMaxTries; ++i) {
    const auto path = std::filesystem::temp_directory_path() / fmt::format("dictum-{}-{}.wav", ::getpid(), i);
    if (::symlink(target.c_str(), path.c_str()) == 0) {
      path_ = path;
      return;
    }
    if (errno != EEXIST) break;
  }
  fail(errno);
}

TemporaryWAV::~TemporaryWAV() {
  ::unlink(path_.c_str());
}

}  // namespace dictum::workers
