#include "capture/file_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::capture {

FileSource::FileSource(std::filesystem::path path, Pace pace, int block_frames, std::shared_ptr<const Clock> clock)
    : path_(std::move(path)), block_frames_(block_frames), pacer_(pace, std::move(clock)) {}

AudioFormat FileSource::open() {
  if (!reader_) reader_.emplace(path_);
  pacer_.start(reader_->format().sample_rate);
  return reader_->format();
}

Reading FileSource::read(std::span<float> interleaved) {
  if (ended_) return ending(0);
  const auto channels = static_cast<std::size_t>(reader_->format().channels);
  const int block = block_frames_ > 0 ? block_frames_ : reader_->format().sample_rate / 10;
  const std::size_t wanted = std::min(static_cast<std::size_t>(block), interleaved.size() / channels);

  // The last block is shorter, and is due as soon as it is over.
  const Frame left = reader_->frames() < 0 ? static_cast<Frame>(wanted) : reader_->frames() - position_;
  if (pacer_.due() < std::min(static_cast<Frame>(wanted), left)) return {};

  const std::size_t frames = reader_->read(interleaved.first(wanted * channels));
  position_ += static_cast<Frame>(frames);
  pacer_.deliver(static_cast<Frame>(frames));
  if (frames == wanted) return {.frames = frames};
  ended_ = true;
  return ending(frames);
}

Reading FileSource::ending(std::size_t frames) {
  const auto fault = [](std::string message) {
    return SourceFault{.code = to_string(Errc::input_unreadable), .message = std::move(message), .recoverable = true};
  };
  if (!reader_->problem().empty() && !std::exchange(told_problem_, true)) {
    return {.frames = frames, .then = fault(reader_->problem())};
  }
  if (reader_->repaired_samples() > 0 && !std::exchange(told_repairs_, true)) {
    return {.frames = frames,
            .then = fault(fmt::format("'{}' holds {} samples that are no numbers: they were taken as silence.",
                                      path_.string(), reader_->repaired_samples()))};
  }
  return {.frames = frames, .then = SourceEnd{}};
}

std::string FileSource::description() const {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path_, error);
  return "file:" + (error ? path_ : whole).string();
}

}  // namespace dictum::capture
