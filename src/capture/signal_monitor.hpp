#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dictum/source.hpp"

namespace dictum::capture {

/// Finds out from the samples that a device delivers audio that is of no use, and says how to change that: only digital
/// zeros (and when that ends), a silent channel beside one with sound, clipping, a level too low for speech.
///
/// Time is counted in frames, in windows of 100 ms, so the reports do not depend on how the audio is cut into blocks.
/// Each kind is reported once a stream, except for zeros: they are reported again after they have ended, but only once
/// they last twice as long as before, since a device with a noise gate delivers zeros in every pause.
///
/// Threads: one at a time. Owner: the microphone. A value; never fails.
class SignalMonitor {
 public:
  static constexpr double kZeroSeconds = 3;      ///< of zeros, until they are reported
  static constexpr double kMaxZeroSeconds = 60;  ///< the same after many reports
  static constexpr double kChannelSeconds = 3;   ///< of sound in one channel and none in another
  static constexpr double kQuietSeconds = 20;    ///< of sound that never exceeds kQuietPeak
  static constexpr float kQuietPeak = 0.003F;    ///< -50 dBFS

  /// A stream begins, from the device of that description.
  void start(AudioFormat format, std::string device);

  /// Takes whole frames. `is_muted`: the sound system is known to silence the device, so zeros are no news.
  void process(std::span<const float> interleaved, bool is_muted);

  /// The samples turned out to be unscaled integers.
  void report_integer_samples();

  /// The oldest report that was not taken yet.
  std::optional<SourceFault> take_fault();

 private:
  struct Channel {
    float window_peak = 0;
    float span_peak = 0;  // of the span in which a silent channel is looked for
    float last = 0;
    int full_scale_run = 0;  // equal samples at full scale in a row
  };

  void end_window();
  void examine_zeros(bool has_sound);
  void examine_channels(float peak);
  void examine_level(float peak);
  void report(const char* code, std::string message);

  AudioFormat format_;
  std::string device_;
  std::vector<Channel> channels_;
  int window_frames_ = 0;    // of the window that is being filled
  bool is_clipped_ = false;  // that window

  int zero_windows_ = 0;
  int zero_limit_ = 0;
  bool zeros_reported_ = false;

  int span_windows_ = 0;
  bool channel_reported_ = false;

  int clipped_windows_ = 0;
  bool clipping_reported_ = false;

  int quiet_windows_ = 0;
  float quiet_peak_ = 0;
  float quiet_floor_ = 0;
  bool quiet_reported_ = false;

  std::deque<SourceFault> faults_;
};

}  // namespace dictum::capture
