#include "capture/file_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::capture {

namespace {

constexpr std::chrono::milliseconds kReadTimeout{100};
constexpr std::chrono::milliseconds kDecoderDeadline{30'000};

}  // namespace

FileSource::FileSource(std::filesystem::path path, Pace pace, int block_frames, std::shared_ptr<const Clock> clock,
                       std::optional<audio::RawFormat> raw)
    : path_(std::move(path)), raw_(raw), block_frames_(block_frames), pacer_(pace, std::move(clock)) {}

FileSource::FileSource(UniqueFD file, std::filesystem::path name)
    : path_(std::move(name)), file_(std::move(file)), block_frames_(0), pacer_(Pace::fast, nullptr) {}

AudioFormat FileSource::open() {
  if (!reader_ && file_) reader_.emplace(std::move(file_), path_);
  if (!reader_) reader_.emplace(path_, raw_);
  pacer_.start(reader_->format().sample_rate);
  return reader_->format();
}

Reading FileSource::read(std::span<float> interleaved) {
  if (ended_) return with_notice(0);
  const auto channels = static_cast<std::size_t>(reader_->format().channels);
  const int block = block_frames_ > 0 ? block_frames_ : reader_->format().sample_rate / 10;
  const std::size_t wanted = std::min(static_cast<std::size_t>(block), interleaved.size() / channels);

  // The last block is shorter, and is due as soon as it is over. The announced length may be too short.
  Frame left = reader_->frames() - position_;
  if (left <= 0) left = static_cast<Frame>(wanted);
  if (pacer_.due() < std::min(static_cast<Frame>(wanted), left)) return {};

  // A decoder that is slow must not hold up a stop: the reading comes back empty, and the block is completed later.
  block_.resize(std::max(block_.size(), wanted * channels));
  const std::size_t missing = wanted - std::min(wanted, block_samples_ / channels);
  if (missing > 0) {
    const std::size_t got =
        reader_->read_some(std::span(block_).subspan(block_samples_, missing * channels), kReadTimeout, ended_);
    block_samples_ += got * channels;
    waited_ = got > 0 ? std::chrono::milliseconds(0) : waited_ + kReadTimeout;
  }
  const bool is_stuck = !ended_ && waited_ >= kDecoderDeadline;
  if (!ended_ && !is_stuck && block_samples_ < wanted * channels) return {};

  const std::size_t samples = std::min(block_samples_, wanted * channels);
  std::copy_n(block_.begin(), samples, interleaved.begin());
  block_.erase(block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(samples));
  block_samples_ -= samples;
  const std::size_t frames = samples / channels;
  position_ += static_cast<Frame>(frames);
  pacer_.deliver(static_cast<Frame>(frames));
  if (is_stuck) {
    ended_ = true;
    return {.frames = frames,
            .then = SourceFault{.code = to_string(Errc::input_unreadable),
                                .message = fmt::format("'{}' could be decoded in part only: the decoder does not "
                                                       "answer any more.",
                                                       path_.string()),
                                .recoverable = true}};
  }
  return with_notice(frames);
}

Reading FileSource::with_notice(std::size_t frames) {
  if (auto notice = reader_->take_notice()) {
    return {.frames = frames,
            .then = SourceFault{
                .code = to_string(Errc::input_unreadable), .message = *std::move(notice), .recoverable = true}};
  }
  if (ended_ && block_samples_ == 0) return {.frames = frames, .then = SourceEnd{}};
  return {.frames = frames};
}

std::string FileSource::description() const {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path_, error);
  return "file:" + (error ? path_ : whole).string();
}

}  // namespace dictum::capture
