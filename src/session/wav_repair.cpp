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
#include "journal/disk_error.hpp"

namespace dictum::session {
namespace {

constexpr Frame kHeaderSize = 44;  // of every WAV that audio::WAVWriter makes
constexpr Frame kFrameSize = 2;

struct WAV {
  UniqueFD file;
  Frame frames{};
  bool has_header{};
};

WAV open_wav(const journal::SessionFolder& folder, const std::string& name, int mode) {
  WAV wav;
  wav.file = folder.try_open(name, mode);
  if (!wav.file && errno == ENOENT) return wav;
  if (!wav.file) wav.file = folder.open(name, mode);  // which says what is wrong with it
  const std::filesystem::path path = folder.path() / name;
  struct stat status{};
  if (::fstat(wav.file.get(), &status) != 0) journal::throw_disk_error(errno, path);
  std::array<char, kHeaderSize> header{};
  if (status.st_size < kHeaderSize) return wav;
  const bool read = ::pread(wav.file.get(), header.data(), header.size(), 0) == kHeaderSize;
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

Frame frames_on_disk(const journal::SessionFolder& folder, const std::string& wav) {
  return open_wav(folder, wav, O_RDONLY).frames;
}

void set_frames(const journal::SessionFolder& folder, const std::string& name, Frame frames) {
  const WAV wav = open_wav(folder, name, O_RDWR);
  const std::filesystem::path path = folder.path() / name;
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
