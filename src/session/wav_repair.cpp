#include "session/wav_repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "journal/disk.hpp"

namespace dictum::session {
namespace {

constexpr Frame kHeaderSize = 44;  // of every WAV that audio::WAVWriter makes
constexpr Frame kFrameSize = 2;

struct WAV {
  UniqueFD file;
  Frame frames{};
  bool has_header{};
};

WAV open_wav(const std::filesystem::path& path, int mode) {
  WAV wav{UniqueFD(::open(path.c_str(), mode | O_CLOEXEC | O_NONBLOCK))};
  if (!wav.file) {
    if (errno == ENOENT) return wav;
    journal::throw_disk_error(errno, path);
  }
  struct stat status{};
  if (::fstat(wav.file.get(), &status) != 0) journal::throw_disk_error(errno, path);
  std::array<char, kHeaderSize> header{};
  if (S_ISREG(status.st_mode) && status.st_size < kHeaderSize) return wav;
  const bool read = S_ISREG(status.st_mode) && ::pread(wav.file.get(), header.data(), header.size(), 0) == kHeaderSize;
  const auto has = [&](std::size_t at, std::string_view four) {
    return std::memcmp(header.data() + at, four.data(), four.size()) == 0;
  };
  if (!read || !has(0, "RIFF") || !has(8, "WAVE") || !has(36, "data")) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' is no recording of this session.", path.string()));
  }
  wav.has_header = true;
  wav.frames = (status.st_size - kHeaderSize) / kFrameSize;
  return wav;
}

}  // namespace

Frame frames_on_disk(const std::filesystem::path& wav) {
  return open_wav(wav, O_RDONLY).frames;
}

void set_frames(const std::filesystem::path& path, Frame frames) {
  const WAV wav = open_wav(path, O_RDWR);
  if (!wav.has_header) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' is missing or empty.", path.string()));
  }
  const auto write_size = [&](off_t at, Frame value) {
    std::array<unsigned char, 4> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i) & 0xFF);
    if (::pwrite(wav.file.get(), bytes.data(), bytes.size(), at) != 4) journal::throw_disk_error(errno, path);
  };
  // What grows, grows before the header says so; what shrinks, after.
  const Frame size = kHeaderSize + frames * kFrameSize;
  if (frames > wav.frames && ::ftruncate(wav.file.get(), size) != 0) journal::throw_disk_error(errno, path);
  write_size(4, size - 8);
  write_size(40, frames * kFrameSize);
  if (frames <= wav.frames && ::ftruncate(wav.file.get(), size) != 0) journal::throw_disk_error(errno, path);
}

}  // namespace dictum::session
