#include "audio/sound_file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <string_view>
#include <system_error>

#include "audio/format.hpp"
#include "audio/wav_header_parser.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

std::string quoted(const std::filesystem::path& path) {
  return fmt::format("'{}'", path.string());
}

[[noreturn]] void unreadable(const std::filesystem::path& path, std::string_view what) {
  throw RecorderError(Errc::input_unreadable, fmt::format("{} {}", quoted(path), what));
}

// Looks before it opens: to open a pipe that nobody writes to would block.
UniqueFD open_regular_file(const std::filesystem::path& path) {
  const auto cannot = [&path](int error) {
    unreadable(path, fmt::format("cannot be opened: {}.", std::generic_category().message(error)));
  };
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) cannot(errno);
    throw RecorderError(Errc::input_not_found, fmt::format("There is no file {}: check the name.", quoted(path)));
  }
  if (S_ISDIR(status.st_mode)) unreadable(path, "is a directory: name a sound file in it.");
  if (!S_ISREG(status.st_mode)) unreadable(path, "is not a regular file: send a stream to standard input instead.");
  if (status.st_size == 0) unreadable(path, "is empty: it holds no audio.");
  UniqueFD fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) cannot(errno);
  return fd;
}

// libsndfile takes what is there and is silent about what a WAV's header promised beyond it.
std::uint64_t bytes_that_are_missing(const UniqueFD& file) {
  struct stat status{};
  std::array<std::byte, 4096> beginning{};
  const ssize_t got = ::pread(file.get(), beginning.data(), beginning.size(), 0);
  if (got <= 0 || ::fstat(file.get(), &status) != 0) return 0;
  try {
    WAVHeaderParser header;
    const std::size_t audio_begins = header.parse(std::span(beginning).first(static_cast<std::size_t>(got)));
    if (!header.done() || !header.audio_bytes()) return 0;
    const std::uint64_t promised = audio_begins + *header.audio_bytes();
    const auto present = static_cast<std::uint64_t>(status.st_size);
    return promised > present ? promised - present : 0;
  } catch (const RecorderError&) {
    return 0;  // no WAV, or one of an encoding that only libsndfile knows
  }
}

}  // namespace

void SoundFileReader::Closer::operator()(sf_private_tag* file) const {
  sf_close(file);
}

SoundFileReader::SoundFileReader(const std::filesystem::path& path) : path_(path), fd_(open_regular_file(path)) {
  SF_INFO info{};
  file_.reset(sf_open_fd(fd_.get(), SFM_READ, &info, SF_FALSE));
  if (!file_) {
    unreadable(path, fmt::format("is not a sound file that can be read ({}): convert it to WAV or FLAC.",
                                 std::string_view(sf_strerror(nullptr))));
  }
  if (info.frames == 0) unreadable(path, "holds no audio: its header announces none.");
  format_ = {.sample_rate = info.samplerate, .channels = info.channels};
  require_usable(format_, quoted(path));
  if (info.frames > 0 && info.frames < SF_COUNT_MAX) frames_ = info.frames;
  if (const std::uint64_t missing = bytes_that_are_missing(fd_)) {
    problem_ = fmt::format("{} was cut off: {} bytes that its header announces are missing; what is there was read.",
                           quoted(path), missing);
  }
}

std::size_t SoundFileReader::read(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t wanted = interleaved.size() / channels;
  std::size_t frames = 0;
  while (frames < wanted) {  // some decoders return less than they have
    const sf_count_t got =
        sf_readf_float(file_.get(), interleaved.data() + frames * channels, static_cast<sf_count_t>(wanted - frames));
    if (got <= 0) break;
    frames += static_cast<std::size_t>(got);
  }
  if (frames < wanted && sf_error(file_.get()) != SF_ERR_NO_ERROR) {
    problem_ = fmt::format("{} is damaged and could be read in part only: {}", quoted(path_),
                           std::string_view(sf_strerror(file_.get())));
  }
  for (float& sample : interleaved.first(frames * channels)) {
    if (std::isfinite(sample)) continue;
    sample = 0;
    ++repaired_samples_;
  }
  return frames;
}

void SoundFileReader::seek(std::int64_t frame) {
  if (sf_seek(file_.get(), frame, SEEK_SET) != frame) {
    unreadable(path_, fmt::format("cannot be read from frame {} on.", frame));
  }
}

}  // namespace dictum::audio
