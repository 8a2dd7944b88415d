#include "session/wav_repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

#include "audio/wav_writer.hpp"
#include "base/disk_error.hpp"
#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "journal/layout.hpp"

namespace dictum::session {
namespace {

constexpr Frame kHeaderSize = 44;  // of every WAV that audio::WAVWriter makes
constexpr Frame kFrameSize = 2;
constexpr std::uint32_t kMaxRate = 1'000'000;

struct WAV {
  UniqueFD file;
  std::int64_t size{};
  bool has_header{};
  int sample_rate{};

  Frame frames() const { return std::max<Frame>(0, size - kHeaderSize) / kFrameSize; }
};

std::uint32_t number_at(std::span<const char> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

WAV open_wav(const journal::SessionFolder& folder, const std::string& name, int mode) {
  WAV wav;
  wav.file = folder.try_open(name, mode);
  if (!wav.file && errno == ENOENT) return wav;
  if (!wav.file) wav.file = folder.open(name, mode);  // which says what is wrong with it
  const std::filesystem::path path = folder.path() / name;
  struct stat status{};
  if (::fstat(wav.file.get(), &status) != 0) throw_disk_error(errno, path);
  wav.size = status.st_size;
  std::array<char, kHeaderSize> header{};
  const bool is_whole = ::pread(wav.file.get(), header.data(), header.size(), 0) == kHeaderSize;
  const auto has = [&](std::size_t at, std::string_view four) {
    return std::memcmp(header.data() + at, four.data(), four.size()) == 0;
  };
  if (!is_whole || std::ranges::all_of(header, [](char byte) { return byte == 0; })) return wav;
  if (!has(0, "RIFF") || !has(8, "WAVE") || !has(36, "data")) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' is no recording of this session.", path.string()));
  }
  wav.has_header = true;
  wav.sample_rate = static_cast<int>(std::min<std::uint32_t>(number_at(header, 24), kMaxRate));
  return wav;
}

}  // namespace

std::vector<std::uint32_t> segments_on_disk(const journal::SessionFolder& folder) {
  std::vector<std::uint32_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder.path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    constexpr std::string_view kPrefix = "seg_";
    std::uint32_t index = 0;
    if (!name.starts_with(kPrefix)) continue;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), index);
    if (name == journal::segment_file(index)) found.push_back(index);
  }
  std::ranges::sort(found);
  return found;
}

Frame frames_on_disk(const journal::SessionFolder& folder, const std::string& wav) {
  return open_wav(folder, wav, O_RDONLY).frames();
}

std::optional<int> rate_on_disk(const journal::SessionFolder& folder, const std::string& name) {
  const WAV wav = open_wav(folder, name, O_RDONLY);
  if (!wav.has_header || wav.sample_rate < 1) return std::nullopt;
  return wav.sample_rate;
}

void set_frames(const journal::SessionFolder& folder, const std::string& name, Frame frames, int sample_rate) {
  const WAV wav = open_wav(folder, name, O_RDWR);
  const std::filesystem::path path = folder.path() / name;
  if (!wav.file) throw RecorderError(Errc::session_unreadable, fmt::format("'{}' is missing.", path.string()));
  const auto write = [&](std::string_view bytes, off_t at) {
    const ssize_t written = ::pwrite(wav.file.get(), bytes.data(), bytes.size(), at);
    if (written != static_cast<ssize_t>(bytes.size())) throw_disk_error(written < 0 ? errno : ENOSPC, path);
  };
  const std::int64_t size = kHeaderSize + frames * kFrameSize;
  const std::string header = audio::wav_header(frames, sample_rate);
  // What grows, grows before the header says so; what shrinks, after.
  if (size > wav.size && ::ftruncate(wav.file.get(), size) != 0) throw_disk_error(errno, path);
  if (wav.has_header) {
    write(std::string_view(header).substr(4, 4), 4);
    write(std::string_view(header).substr(40, 4), 40);
  } else {
    write(header, 0);
  }
  if (size < wav.size && ::ftruncate(wav.file.get(), size) != 0) throw_disk_error(errno, path);
}

}  // namespace dictum::session
