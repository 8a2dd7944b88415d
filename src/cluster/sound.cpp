#include "cluster/sound.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::cluster {
namespace {

constexpr double kMaxSeconds = 2 * 3600;  // the longest segment that can be configured is one hour
constexpr Frame kBlock = 65536;

struct CloseFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, CloseFile>;

/// A file of libsndfile's in memory.
struct Memory {
  std::string bytes;
  std::size_t at = 0;

  static Memory& of(void* user) { return *static_cast<Memory*>(user); }

  static sf_count_t size(void* user) { return static_cast<sf_count_t>(of(user).bytes.size()); }
  static sf_count_t tell(void* user) { return static_cast<sf_count_t>(of(user).at); }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    Memory& memory = of(user);
    const auto base = whence == SEEK_SET   ? sf_count_t{0}
                      : whence == SEEK_CUR ? static_cast<sf_count_t>(memory.at)
                                           : static_cast<sf_count_t>(memory.bytes.size());
    memory.at = static_cast<std::size_t>(std::max<sf_count_t>(0, base + offset));
    return static_cast<sf_count_t>(memory.at);
  }
  static sf_count_t read(void* out, sf_count_t count, void* user) {
    Memory& memory = of(user);
    const std::size_t there = memory.at < memory.bytes.size() ? memory.bytes.size() - memory.at : 0;
    const std::size_t got = std::min(there, static_cast<std::size_t>(std::max<sf_count_t>(0, count)));
    std::memcpy(out, memory.bytes.data() + (got == 0 ? 0 : memory.at), got);
    memory.at += got;
    return static_cast<sf_count_t>(got);
  }
  static sf_count_t write(const void* in, sf_count_t count, void* user) {
    Memory& memory = of(user);
    const auto size = static_cast<std::size_t>(count);
    if (memory.bytes.size() < memory.at + size) memory.bytes.resize(memory.at + size);
    std::memcpy(memory.bytes.data() + memory.at, in, size);
    memory.at += size;
    return count;
  }
  static SF_VIRTUAL_IO calls() { return {size, seek, read, write, tell}; }
};

/// Reads frames in blocks: a header can promise more than there is, and memory follows what is really there.
std::vector<std::int16_t> read_frames(SNDFILE* file, Frame wanted) {
  std::vector<std::int16_t> samples;
  while (wanted > 0) {
    const std::size_t before = samples.size();
    const Frame asked = std::min(wanted, kBlock);
    samples.resize(before + static_cast<std::size_t>(asked));
    const Frame got = std::max<Frame>(0, sf_readf_short(file, samples.data() + before, asked));
    samples.resize(before + static_cast<std::size_t>(got));
    if (got == 0) break;
    wanted -= got;
  }
  return samples;
}

void write_all(SNDFILE* file, const Sound& sound, const std::string& what) {
  const Frame written = sf_writef_short(file, sound.samples.data(), sound.frames());
  if (written != sound.frames()) {
    throw RecorderError(Errc::output_unwritable, fmt::format("{} cannot be written: {}", what, sf_strerror(file)));
  }
}

SF_INFO mono(const Sound& sound, int format) {
  SF_INFO info{};
  info.channels = 1;
  info.samplerate = sound.sample_rate;
  info.format = format;
  return info;
}

}  // namespace

Sound read_sound(const std::filesystem::path& wav, std::optional<transcription::FrameRange> range) {
  // A session's audio is never a link, and nothing waits for a pipe.
  UniqueFD opened(::open(wav.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw RecorderError(Errc::input_not_found, fmt::format("{}: there is no such file", wav.string()));
  }
  SF_INFO info{};
  const File file(sf_open_fd(opened.release(), SFM_READ, &info, SF_TRUE));
  if (!file) throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", wav.string(), sf_strerror(nullptr)));
  if (info.channels != 1 || info.samplerate < 1 || info.frames < 0) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: {} channels at {} Hz, where one was expected",
                                                            wav.string(), info.channels, info.samplerate));
  }
  Sound sound{.samples = {}, .sample_rate = info.samplerate, .first_frame = 0};
  Frame end = info.frames;
  if (range) {
    if (range->start < 0 || range->end < range->start) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("frames {} to {} are no range", range->start, range->end));
    }
    sound.first_frame = std::min<Frame>(range->start, info.frames);
    end = std::min<Frame>(range->end, info.frames);
  }
  if (static_cast<double>(end - sound.first_frame) / info.samplerate > kMaxSeconds) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: longer than two hours", wav.string()));
  }
  if (sound.first_frame > 0 && sf_seek(file.get(), sound.first_frame, SEEK_SET) != sound.first_frame) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", wav.string(), sf_strerror(file.get())));
  }
  sound.samples = read_frames(file.get(), end - sound.first_frame);
  return sound;
}

std::string to_flac(const Sound& sound) {
  Memory memory;
  SF_VIRTUAL_IO calls = Memory::calls();
  SF_INFO info = mono(sound, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  File file(sf_open_virtual(&calls, SFM_WRITE, &info, &memory));
  if (!file) {
    throw RecorderError(Errc::input_unreadable,
                        fmt::format("Sound at {} Hz cannot be made FLAC: {}", sound.sample_rate, sf_strerror(nullptr)));
  }
  write_all(file.get(), sound, "FLAC");
  file.reset();
  return std::move(memory.bytes);
}

Sound from_flac(std::string_view flac, Frame max_frames) {
  if (!flac.starts_with("fLaC")) throw RecorderError(Errc::input_unreadable, "The job's audio is not FLAC.");
  Memory memory{.bytes = std::string(flac)};
  SF_VIRTUAL_IO calls = Memory::calls();
  SF_INFO info{};
  const File file(sf_open_virtual(&calls, SFM_READ, &info, &memory));
  const bool is_flac = file && (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
  if (!is_flac || info.channels != 1 || info.samplerate < 1) {
    throw RecorderError(Errc::input_unreadable, "The job's audio is not mono FLAC.");
  }
  return {.samples = read_frames(file.get(), max_frames), .sample_rate = info.samplerate, .first_frame = 0};
}

void write_wav(const std::filesystem::path& path, const Sound& sound) {
  UniqueFD opened(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!opened) {
    throw RecorderError(Errc::output_unwritable, fmt::format("Cannot write {}: {}.", path.string(), strerror(errno)));
  }
  SF_INFO info = mono(sound, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  const File file(sf_open_fd(opened.release(), SFM_WRITE, &info, SF_TRUE));
  if (!file) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("Cannot write {}: {}.", path.string(), sf_strerror(nullptr)));
  }
  write_all(file.get(), sound, path.string());
}

}  // namespace dictum::cluster
