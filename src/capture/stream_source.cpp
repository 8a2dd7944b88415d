#include "capture/stream_source.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::capture {

namespace {

constexpr std::size_t kMostAtOnce = 64 * 1024;     // what a pipe holds by default
constexpr std::size_t kMostDropped = 1024 * 1024;  // and at most, unless an administrator allows more

std::size_t frame_size(const RawFormat& format) {
  return audio::size_of(format.sample) * static_cast<std::size_t>(format.audio.channels);
}

}  // namespace

RawFormat parse_raw_format(std::string_view text) {
  const auto refuse = [text] {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("'{}' is no raw format: say sample format, rate and channels, as in s16le:48000:2 "
                                    "(u8, s16le, s24le, s32le, f32le, f64le).",
                                    text));
  };
  constexpr std::pair<std::string_view, audio::SampleFormat> names[] = {
      {"u8", audio::SampleFormat::u8},     {"s16le", audio::SampleFormat::s16}, {"s24le", audio::SampleFormat::s24},
      {"s32le", audio::SampleFormat::s32}, {"f32le", audio::SampleFormat::f32}, {"f64le", audio::SampleFormat::f64}};
  const std::size_t colon = text.find(':');
  const auto* const name =
      std::ranges::find(names, text.substr(0, colon), &std::pair<std::string_view, audio::SampleFormat>::first);
  if (colon == text.npos || name == std::end(names)) refuse();

  RawFormat format{.sample = name->second, .audio = {}};
  const char* const end = text.data() + text.size();
  const auto rate = std::from_chars(text.data() + colon + 1, end, format.audio.sample_rate);
  if (rate.ec != std::errc() || rate.ptr == end || *rate.ptr != ':') refuse();
  const auto channels = std::from_chars(rate.ptr + 1, end, format.audio.channels);
  if (channels.ec != std::errc() || channels.ptr != end) refuse();
  audio::require_usable(format.audio, fmt::format("The raw format '{}'", text));
  return format;
}

StreamSource::StreamSource(UniqueFD fd, std::string name, std::optional<RawFormat> raw,
                           std::chrono::milliseconds deadline)
    : fd_(std::move(fd)), name_(std::move(name)), raw_(raw), deadline_(deadline) {}

void StreamSource::refuse(std::string_view what) const {
  throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", name_, what));
}

AudioFormat StreamSource::open() {
  if (format_) {
    drop_waiting();
  } else {
    if (::isatty(fd_.get()) == 1) refuse("this is a terminal: send audio into it from another program.");
    read_header();
  }
  return format_->audio;
}

void StreamSource::read_header() {
  const auto begin = std::chrono::steady_clock::now();
  const auto receive_more = [&] {
    const auto waited = std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    switch (receive(std::max(deadline_ - waited, std::chrono::milliseconds(0)), 4096)) {
      case Arrival::bytes:
        return;
      case Arrival::end:
        return refuse("it ended before any audio came: check the program that writes to it.");
      case Arrival::nothing:
        throw RecorderError(Errc::timed_out,
                            fmt::format("{}: no audio came within {} ms: check the program that writes "
                                        "to it.",
                                        name_, deadline_.count()));
    }
  };
  constexpr std::string_view riff = "RIFF", rf64 = "RF64";
  const auto begins_with = [this](std::string_view four) {
    return std::ranges::equal(four, std::span(waiting_).first(four.size()),
                              [](char letter, std::byte byte) { return static_cast<std::byte>(letter) == byte; });
  };
  while (waiting_.size() < riff.size()) receive_more();
  if (!begins_with(riff) && !begins_with(rf64)) {
    if (!raw_) refuse("it does not begin as a WAV does: send WAV, or say which raw format it has.");
    format_ = raw_;
    return;
  }
  audio::WAVHeaderParser parser;
  for (;;) {
    const std::size_t used = parser.parse(waiting_);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
    if (parser.done()) break;
    receive_more();
  }
  format_ = RawFormat{.sample = parser.sample_format(), .audio = parser.format()};
  left_ = parser.audio_bytes();
}

// Appends up to `most` bytes to waiting_. A descriptor that polls readable does not block on read().
StreamSource::Arrival StreamSource::receive(std::chrono::milliseconds patience, std::size_t most) {
  if (ended_) return Arrival::end;
  pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  const int count = ::poll(&ready, 1, static_cast<int>(patience.count()));
  if (count == 0 || (count < 0 && errno == EINTR)) return Arrival::nothing;

  const std::size_t before = waiting_.size();
  waiting_.resize(before + most);
  const ssize_t received = count < 0 ? -1 : ::read(fd_.get(), waiting_.data() + before, most);
  const int error = received < 0 ? errno : 0;
  waiting_.resize(before + (received > 0 ? static_cast<std::size_t>(received) : 0));
  if (received > 0) return Arrival::bytes;
  if (error == EINTR || error == EAGAIN) return Arrival::nothing;
  ended_ = true;
  error_ = error;
  return Arrival::end;
}

void StreamSource::drop_waiting() {
  std::size_t dropped = 0;
  while (dropped < kMostDropped && receive(std::chrono::milliseconds(0), kMostAtOnce) == Arrival::bytes) {
    std::size_t whole = waiting_.size() / frame_size(*format_) * frame_size(*format_);
    if (left_) {
      whole = static_cast<std::size_t>(std::min<std::uint64_t>(whole, *left_));
      *left_ -= whole;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(whole));
    dropped += whole;
    if (left_ == 0) return;
  }
}

Reading StreamSource::read(std::span<float> interleaved) {
  const std::size_t size = frame_size(*format_);
  const auto channels = static_cast<std::size_t>(format_->audio.channels);
  std::size_t frames = 0;
  bool over = false;
  for (;;) {
    // Deliver what is here.
    std::size_t bytes = std::min(waiting_.size(), (interleaved.size() / channels - frames) * size) / size * size;
    if (left_) bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, *left_)) / size * size;
    const std::size_t count = bytes / size;
    audio::decode(format_->sample, std::span(waiting_).first(bytes),
                  interleaved.subspan(frames * channels, count * channels));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(bytes));
    frames += count;
    if (left_) *left_ -= bytes;

    over = left_ && *left_ < size;  // what follows the audio is of no interest
    const std::size_t room = interleaved.size() / channels - frames;
    if (over || room == 0) break;
    const Arrival arrival = receive(std::chrono::milliseconds(0), std::min(kMostAtOnce, room * size));
    if (arrival == Arrival::bytes) continue;
    over = arrival == Arrival::end;
    break;
  }
  if (!over) return {.frames = frames};
  if (const int error = std::exchange(error_, 0); error != 0) {
    return {.frames = frames,
            .then = SourceFault{.code = to_string(Errc::input_unreadable),
                                .message = fmt::format("{} could not be read any further: {}.", name_,
                                                       std::generic_category().message(error)),
                                .recoverable = false}};
  }
  return {.frames = frames, .then = SourceEnd{}};
}

}  // namespace dictum::capture
