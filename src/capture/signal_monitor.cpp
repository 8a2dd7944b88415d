#include "capture/signal_monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace dictum::capture {
namespace {

constexpr int kWindowsPerSecond = 10;
constexpr float kFullScale = 0.999F;
constexpr int kClippedRun = 3;          // samples: a sine of full scale has fewer equal ones at its crest
constexpr int kClippedWindows = 10;     // of kClippingSpan, until clipping is reported
constexpr int kClippingSpan = 100;      // windows
constexpr float kAudible = 0.03F;       // -30 dBFS: what the other channel must have had
constexpr float kSilentRatio = 0.001F;  // -60 dB: the most that a silent channel has of that
constexpr float kEventRatio = 8;        // 18 dB: how far a sound exceeds the background

constexpr int windows(double seconds) {
  return static_cast<int>(seconds * kWindowsPerSecond);
}

}  // namespace

void SignalMonitor::start(AudioFormat format, std::string device) {
  *this = {};
  format_ = format;
  device_ = std::move(device);
  channels_.resize(static_cast<std::size_t>(format.channels));
  zero_limit_ = windows(kZeroSeconds);
}

void SignalMonitor::process(std::span<const float> interleaved, bool is_muted) {
  if (is_muted) {
    zero_windows_ = span_windows_ = quiet_windows_ = 0;
    return;
  }
  const int window = std::max(format_.sample_rate / kWindowsPerSecond, 1);
  for (std::size_t i = 0; i < interleaved.size();) {
    for (Channel& channel : channels_) {
      const float sample = interleaved[i++];
      const float size = std::abs(sample);
      channel.window_peak = std::max(channel.window_peak, size);
      channel.full_scale_run = size >= kFullScale && sample == channel.last ? channel.full_scale_run + 1 : 1;
      channel.last = sample;
      is_clipped_ = is_clipped_ || (channel.full_scale_run >= kClippedRun && size >= kFullScale);
    }
    if (++window_frames_ == window) end_window();
  }
}

void SignalMonitor::report_integer_samples() {
  report("samples_scaled",
         fmt::format("The input device \"{}\" delivers 16-bit integers as floating-point samples. They "
                     "are scaled to the range from -1 to 1.",
                     device_));
}

std::optional<SourceFault> SignalMonitor::take_fault() {
  if (faults_.empty()) return std::nullopt;
  SourceFault fault = std::move(faults_.front());
  faults_.pop_front();
  return fault;
}

void SignalMonitor::end_window() {
  const float peak = std::ranges::max_element(channels_, {}, &Channel::window_peak)->window_peak;
  examine_zeros(peak > 0);
  examine_channels(peak);
  examine_level(peak);
  for (Channel& channel : channels_) channel.window_peak = 0;
  window_frames_ = 0;
  is_clipped_ = false;
}

void SignalMonitor::examine_zeros(bool has_sound) {
  if (!has_sound) {
    if (++zero_windows_ < zero_limit_ || std::exchange(zeros_reported_, true)) return;
    report(
        "input_silent",
        fmt::format("The input device \"{}\" has delivered nothing but digital silence for {} s. Check the mute switch "
                    "of the microphone, its level and its permissions in the sound settings, or choose another device.",
                    device_, zero_limit_ / kWindowsPerSecond));
    return;
  }
  zero_windows_ = 0;
  if (!std::exchange(zeros_reported_, false)) return;
  zero_limit_ = std::min(2 * zero_limit_, windows(kMaxZeroSeconds));
  report("input_silent", fmt::format("The input device \"{}\" delivers sound again.", device_));
}

void SignalMonitor::examine_channels(float peak) {
  if (channels_.size() < 2 || channel_reported_) return;
  if (peak == 0) return;  // silence in all channels says nothing about one
  for (Channel& channel : channels_) channel.span_peak = std::max(channel.span_peak, channel.window_peak);
  if (++span_windows_ < windows(kChannelSeconds)) return;
  span_windows_ = 0;
  const auto loudest = std::ranges::max_element(channels_, {}, &Channel::span_peak);
  const auto silent = std::ranges::min_element(channels_, {}, &Channel::span_peak);
  if (loudest->span_peak > kAudible && silent->span_peak < loudest->span_peak * kSilentRatio) {
    channel_reported_ = true;
    report(
        "channel_silent",
        fmt::format("Channel {} of the input device \"{}\" is silent while channel {} has sound. Check its cable, or "
                    "record one channel with --channel {}.",
                    silent - channels_.begin(), device_, loudest - channels_.begin(), loudest - channels_.begin()));
  }
  for (Channel& channel : channels_) channel.span_peak = 0;
}

void SignalMonitor::examine_level(float peak) {
  clipped_windows_ =
      is_clipped_ ? clipped_windows_ + kClippingSpan / kClippedWindows : std::max(clipped_windows_ - 1, 0);
  if (clipped_windows_ >= kClippingSpan && !std::exchange(clipping_reported_, true)) {
    report("input_clipped",
           fmt::format("The input device \"{}\" is too loud: its samples are clipped at full scale. Lower "
                       "its level in the sound settings, or move away from the microphone.",
                       device_));
  }
  if (peak == 0) return;
  if (peak > kQuietPeak) quiet_windows_ = 0;
  if (peak > kQuietPeak) return;
  quiet_floor_ = quiet_windows_ == 0 ? peak : std::min(quiet_floor_, peak);
  quiet_peak_ = quiet_windows_ == 0 ? peak : std::max(quiet_peak_, peak);
  const bool has_sound = quiet_peak_ > quiet_floor_ * kEventRatio;  // a quiet room alone is no fault
  if (++quiet_windows_ < windows(kQuietSeconds) || !has_sound || std::exchange(quiet_reported_, true)) return;
  report("input_quiet",
         fmt::format("The input device \"{}\" is very quiet: its peak is {:.0f} dBFS. Raise its level in the "
                     "sound settings, or move closer to the microphone.",
                     device_, 20 * std::log10(quiet_peak_)));
}

void SignalMonitor::report(const char* code, std::string message) {
  faults_.push_back({code, std::move(message), true});
}

}  // namespace dictum::capture
