#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audio/integer_samples.hpp"
#include "capture/device_stream.hpp"
#include "capture/format_converter.hpp"
#include "capture/signal_monitor.hpp"
#include "capture/timeline_aligner.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// Takes what a stream delivers, converts it to the session's format and places it on the timeline. What makes the
/// audio useless (only zeros, clipped) is noticed here.
///
/// Threads: the reader's. Owner: the microphone, as of `aligner`, which outlives this.
class StreamReader {
 public:
  explicit StreamReader(TimelineAligner& aligner) : aligner_(aligner) {}

  /// Begins with another stream, whose audio is to have the format `wanted`.
  void follow(const DeviceStream& stream, const AudioFormat& wanted);

  /// Takes everything that has arrived, so that the stream's ring has room however long the aligner holds audio back.
  /// Returns whether anything had. `is_muted`: the sound system says so, and silence is no fault.
  bool receive(DeviceStream& stream, bool is_muted);

  /// The name of the device, to which the sound server may have moved the stream.
  const std::string& device() const { return device_; }

  std::optional<SourceFault> take_fault() { return monitor_.take_fault(); }

 private:
  void receive(DeviceStream& stream, const Delivery& delivery, bool is_muted);

  TimelineAligner& aligner_;
  std::string device_;
  double ratio_ = 1;  // frames of the session for one of the stream
  std::optional<FormatConverter> converter_;
  audio::IntegerSamples integer_samples_;
  SignalMonitor monitor_;
  std::vector<float> raw_;
  std::vector<float> converted_;
};

}  // namespace dictum::capture
