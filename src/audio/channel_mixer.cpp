#include "audio/channel_mixer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>

#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr std::size_t kWindowFrames = 1024;
constexpr std::size_t kStretchWindows = 32;  // 0.7 s at 48 kHz, 2 s at 16 kHz, silence not counted
constexpr double kAudible = 1e-5;            // -50 dBFS, mean square

// Sound on a single one of n channels leaves 1/n of the energy in the mean, and that is no cancelling; -13 dB below is.
constexpr double kCancelled = 0.05;

float bounded(float sample) {
  const bool finite = std::abs(sample) <= std::numeric_limits<float>::max();  // false for NaN
  return std::clamp(finite ? sample : 0.0F, -1.0F, 1.0F);
}

}  // namespace

ChannelChoice parse_channel_choice(std::string_view text, int channels) {
  if (text == "mix") return {};
  int index = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size() || index < 0) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("'{}' is no channel: say mix, or a number from 0 to {}.", text, channels - 1));
  }
  if (index >= channels) {
    throw RecorderError(Errc::invalid_argument,
                        channels == 1
                            ? fmt::format("There is no channel {}: the input has 1 channel, number 0.", index)
                            : fmt::format("There is no channel {}: the input has {} channels, numbered from 0 to {}.",
                                          index, channels, channels - 1));
  }
  return {.index = index};
}

ChannelMixer::ChannelMixer(int channels, ChannelChoice choice)
    : channels_(static_cast<std::size_t>(channels)), choice_(choice) {
  assert(channels >= 1 && choice.index.value_or(0) < channels);
}

void ChannelMixer::mix(std::span<const float> interleaved, std::span<float> mono) {
  assert(interleaved.size() == mono.size() * channels_);
  if (channels_ == 1) {
    std::ranges::transform(interleaved, mono.begin(), bounded);
    return;
  }
  if (choice_.index) {
    const auto pick = static_cast<std::size_t>(*choice_.index);
    for (std::size_t i = 0; i < mono.size(); ++i) mono[i] = bounded(interleaved[i * channels_ + pick]);
    return;
  }
  const float share = 1.0F / static_cast<float>(channels_);
  for (std::size_t i = 0; i < mono.size(); ++i) {
    const auto frame = interleaved.subspan(i * channels_, channels_);
    float sum = 0;
    for (const float sample : frame) sum += bounded(sample);
    mono[i] = bounded(sum * share);
    if (!cancels_) listen(frame, mono[i]);
  }
}

void ChannelMixer::listen(std::span<const float> frame, float mean) {
  float energy = 0;
  for (const float sample : frame) energy += bounded(sample) * bounded(sample);
  window_.of_channels += energy / static_cast<float>(channels_);
  window_.of_mean += mean * mean;
  if (++window_frames_ < kWindowFrames) return;

  if (window_.of_channels > kAudible * kWindowFrames) {
    stretch_.of_channels += window_.of_channels;
    stretch_.of_mean += window_.of_mean;
    if (++stretch_windows_ == kStretchWindows) {
      cancels_ = stretch_.of_mean < kCancelled / static_cast<double>(channels_) * stretch_.of_channels;
      stretch_ = {};
      stretch_windows_ = 0;
    }
  }
  window_ = {};
  window_frames_ = 0;
}

}  // namespace dictum::audio
