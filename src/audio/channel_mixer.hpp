#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace dictum::audio {

/// Which channel is used: one of them, or the mean of all.
struct ChannelChoice {
  std::optional<int> index;  ///< from 0; empty: the mean
  bool operator==(const ChannelChoice&) const = default;
};

/// Reads the configuration's word: "mix", or a channel's number from 0. Throws RecorderError(invalid_argument), saying
/// how many channels there are.
ChannelChoice parse_channel_choice(std::string_view text, int channels);

/// Makes one channel of many. It is also the door through which every sample comes in: what leaves it is finite and
/// within -1 to 1 (what is not a number becomes 0), which is just what a 16-bit file can hold, so that the detector
/// receives what is kept.
///
/// One thread at a time; owned by the recording; does not fail.
class ChannelMixer {
 public:
  /// `choice` comes from `parse_channel_choice` for the same number of channels.
  ChannelMixer(int channels, ChannelChoice choice);

  /// `interleaved` holds `channels` values for each one of `mono`.
  void mix(std::span<const float> interleaved, std::span<float> mono);

  /// True from the moment on when the channels have cancelled each other over a good stretch of audible sound, as those
  /// of a microphone with one of its two wires swapped do: to pick one channel is better then.
  bool cancels() const { return cancels_; }

 private:
  void listen(std::span<const float> frame, float mean);

  const std::size_t channels_;
  const ChannelChoice choice_;

  // The energies of the stretch that is being measured, and of the window in it that is being filled.
  struct Energy {
    double of_mean = 0;
    double of_channels = 0;  ///< mean over the channels
  };
  Energy window_, stretch_;
  std::size_t window_frames_ = 0;
  std::size_t stretch_windows_ = 0;
  bool cancels_ = false;
};

}  // namespace dictum::audio
