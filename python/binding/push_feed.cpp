#include "push_feed.hpp"

#include <fmt/format.h>

#include <chrono>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::python {
namespace {

int checked_channels(int channels) {
  if (channels >= 1 && channels <= audio::kMaxChannels) return channels;
  throw RecorderError(Errc::invalid_argument,
                      fmt::format("A source has 1 to {} channels; this is {}.", audio::kMaxChannels, channels));
}

std::chrono::milliseconds capacity_of(double seconds) {
  if (!(seconds >= 0.1 && seconds <= 600))
    throw RecorderError(Errc::invalid_argument, "capacity_sec lies between 0.1 and 600.");
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace

PushFeed::PushFeed(int sample_rate, int channels, double capacity_sec)
    : channels_(checked_channels(channels)),
      source_({.sample_rate = checked_rate(sample_rate), .channels = channels_}, capacity_of(capacity_sec)) {}

std::size_t PushFeed::push(const Samples& samples) {
  if (!samples.may_have(channels_)) {
    throw RecorderError(Errc::invalid_argument, fmt::format("This source has {} channels, the samples have {}.",
                                                            channels_, samples.channels()));
  }
  const std::lock_guard lock(mutex_);
  return samples.visit([this](auto span) { return source_.push(span); });
}

std::size_t PushFeed::room() const {
  const std::lock_guard lock(mutex_);
  return source_.room();
}

void PushFeed::finish() {
  const std::lock_guard lock(mutex_);
  source_.finish();
}

}  // namespace dictum::python
