#pragma once

#include <memory>
#include <string>
#include <vector>

#include "capture/backend.hpp"
#include "capture/stream_reader.hpp"
#include "capture/stream_supervisor.hpp"
#include "capture/timeline_aligner.hpp"
#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A live device that is kept open: what is lost is reported and placed on the timeline, and a device that goes away is
/// opened again when it, or another default, is there. What makes the audio useless (muted, only zeros, clipped) is
/// reported too.
///
/// The first `open` decides the format; what a device delivers later is converted to it.
///
/// Threads: as `AudioSource` says; the device's own thread belongs to the stream. Owner: the recording. `read` never
/// waits and does not fail; `open` waits up to 3 s for the first real samples; `close` up to 0.8 s for the driver,
/// whose thread is then abandoned with what it holds.
class Microphone final : public AudioSource {
 public:
  /// `device` is an id, a name or a part of it; empty: the default. Constructing opens no device.
  Microphone(std::vector<Backend> backends, std::string device, std::shared_ptr<const Clock> clock);

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void finish() noexcept override;
  void close() noexcept override { supervisor_.close(); }
  std::chrono::milliseconds quiet_pace() const override { return kQuietPace; }
  void set_device(const std::string& device) override { supervisor_.switch_to(device); }
  std::string description() const override { return description_; }
  double drift_ppm() const override { return aligner_.drift_ppm(); }

 private:
  static constexpr std::chrono::milliseconds kQuietPace{160};  // the stream's ring has room for seconds
  static_assert(kQuietPace < StreamSupervisor::kMaxWatchStep);

  void follow_stream();
  void replace_stream();
  bool receive();

  const std::shared_ptr<const Clock> clock_;
  std::string description_;
  StreamSupervisor supervisor_;
  TimelineAligner aligner_;
  StreamReader reader_{aligner_};
  AudioFormat format_;  // of the session
  bool finishing_ = false;
};

}  // namespace dictum::capture
