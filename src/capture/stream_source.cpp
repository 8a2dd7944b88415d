#include "capture/stream_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "dictum/error.hpp"

namespace dictum::capture {

StreamSource::StreamSource(UniqueFD fd, std::string name, std::optional<RawFormat> raw,
                           std::chrono::milliseconds deadline)
    : fd_(std::move(fd)), name_(std::move(name)), raw_(raw), deadline_(deadline) {}

AudioFormat StreamSource::open() {
  if (input_) {
    drop_waiting();
    return input_->format();
  }
  const auto refuse = [this](const char* what) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", name_, what));
  };
  struct stat status{};
  if (!fd_) refuse("it could not be read before: start again with a new stream.");
  if (::isatty(fd_.get()) == 1) refuse("this is a terminal: send audio into it from another program.");
  if (::fstat(fd_.get(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) refuse("this is a directory: send audio into it from another program.");
    is_regular_file_ = S_ISREG(status.st_mode);
  }
  input_.emplace(std::move(fd_), name_, raw_, deadline_);
  return input_->format();
}

void StreamSource::drop_waiting() {
  if (is_regular_file_) return;
  constexpr std::size_t kMaxDroppedBytes =
      1024 * 1024;  // what a pipe holds at most, unless an administrator allows more
  const auto channels = static_cast<std::size_t>(input_->format().channels);
  std::vector<float> dropped(16 * 1024 * channels);
  for (std::size_t bytes = 0; bytes < kMaxDroppedBytes && !ended_;) {
    const auto step = input_->read(dropped);
    bytes += step.frames * channels;  // a sample has one byte or more
    ended_ = step.state == audio::SoundInput::State::over;
    if (step.state != audio::SoundInput::State::more) return;
  }
}

Reading StreamSource::read(std::span<float> interleaved) {
  Reading reading;
  if (!ended_) {
    const auto step = input_->read(interleaved);
    reading.frames = step.frames;
    ended_ = step.state == audio::SoundInput::State::over;
  }
  if (auto notice = input_->take_notice()) {
    reading.then = SourceFault{
        .code = to_string(Errc::input_unreadable), .message = *std::move(notice), .recoverable = !input_->has_failed()};
  } else if (ended_) {
    reading.then = SourceEnd{};
  }
  return reading;
}

}  // namespace dictum::capture
