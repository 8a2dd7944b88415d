#include "audio/sound_file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/sound_file.hpp"

namespace dictum::audio {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOpenDeadline{30'000};
constexpr milliseconds kReadDeadline{30'000};

std::string quoted(const std::filesystem::path& path) {
  return fmt::format("'{}'", path.string());
}

[[noreturn]] void unreadable(const std::filesystem::path& path, std::string_view what) {
  throw RecorderError(Errc::input_unreadable, fmt::format("{} {}", quoted(path), what));
}

void require_sound_file(const std::filesystem::path& path, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) unreadable(path, "is a directory: name a sound file in it.");
  if (!S_ISREG(status.st_mode)) unreadable(path, "is not a regular file: send a stream to standard input instead.");
  if (status.st_size == 0) unreadable(path, "is empty: it holds no audio.");
}

UniqueFD checked(UniqueFD file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    unreadable(path, fmt::format("cannot be opened: {}.", std::generic_category().message(errno)));
  }
  require_sound_file(path, status);
  return file;
}

}  // namespace

UniqueFD open_sound_file(const std::filesystem::path& path) {
  const auto cannot = [&path](int error) {
    unreadable(path, fmt::format("cannot be opened: {}.", std::generic_category().message(error)));
  };
  if (path.empty()) {
    throw RecorderError(Errc::input_not_found, "The name of the sound file is empty: name a file.");
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) cannot(errno);
    throw RecorderError(Errc::input_not_found, fmt::format("There is no file {}: check the name.", quoted(path)));
  }
  require_sound_file(path, status);  // before it is opened, since opening a device can have effects
  UniqueFD fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) cannot(errno);
  return checked(std::move(fd), path);  // it may have been replaced in between
}

SoundFileReader::SoundFileReader(const std::filesystem::path& path, std::optional<RawFormat> raw)
    : SoundFileReader(open_sound_file(path), path, raw) {}

SoundFileReader::SoundFileReader(UniqueFD file, const std::filesystem::path& path, std::optional<RawFormat> raw)
    : path_(path), input_(checked(std::move(file), path), quoted(path), raw, kOpenDeadline) {
  if (input_.frames() == 0) unreadable(path, "holds no audio: its header announces none.");
}

std::size_t SoundFileReader::read(std::span<float> interleaved) {
  bool is_over = false;
  return read_some(interleaved, kReadDeadline, is_over);
}

std::size_t SoundFileReader::read_some(std::span<float> interleaved, milliseconds patience, bool& is_over) {
  const auto channels = static_cast<std::size_t>(format().channels);
  const std::size_t wanted = interleaved.size() / channels;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t frames = 0;
  while (frames < wanted && !is_over) {
    const SoundInput::Step step = input_.read(interleaved.subspan(frames * channels));
    frames += step.frames;
    is_over = step.state == SoundInput::State::over;
    if (step.state != SoundInput::State::waiting) continue;
    const auto left = patience - std::chrono::floor<milliseconds>(std::chrono::steady_clock::now() - begin);
    if (left <= milliseconds(0)) break;
    input_.wait(left);
  }
  position_ += static_cast<std::int64_t>(frames);
  return frames;
}

void SoundFileReader::seek(std::int64_t frame) {
  if (input_.seek(frame)) {
    position_ = frame;
    return;
  }
  // What a decoder delivers through a pipe only goes forward.
  constexpr std::int64_t kBlock = 65536;
  const auto channels = static_cast<std::size_t>(format().channels);
  std::vector<float> skipped;
  while (position_ < frame) {
    skipped.resize(static_cast<std::size_t>(std::min(kBlock, frame - position_)) * channels);
    if (read(skipped) == 0) break;
  }
  if (position_ != frame) unreadable(path_, fmt::format("cannot be read from frame {} on.", frame));
}

}  // namespace dictum::audio

dictum::SoundFileInfo dictum::sound_file_info(const std::filesystem::path& path) {
  const audio::SoundFileReader file(path);
  return {.format = file.format(), .frames = file.frames() < 0 ? std::nullopt : std::optional<Frame>(file.frames())};
}
