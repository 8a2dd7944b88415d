#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/device_clock.hpp"
#include "capture/device_stream.hpp"
#include "capture/format_converter.hpp"
#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A live device that is kept alive: what is lost is told and placed on the timeline, and a device that goes away is
/// opened again when it, or another default, is there.
///
/// The timeline follows the steady clock: frames delivered and gaps together are the time that passed, once the drift
/// of the device is taken out. Audio that comes late is late, not lost: a pause in the deliveries becomes a gap only by
/// as much as never came. So after a pause the audio is held back for a moment (0.3 s), until it is known how much that
/// is.
///
/// The first `open` decides on the format; whatever device delivers later is converted to it.
///
/// Threads: as `AudioSource` says; the device's own thread is the stream's. Owner: the recording. `read` never waits
/// and does not fail; `open` waits up to 3 s for the first real samples; `close` up to 0.8 s for the driver, whose
/// thread is then left behind with what it holds.
class Microphone final : public AudioSource {
 public:
  /// Begins to connect to a device, at once. What it gives tells of everything else.
  using Connect = std::function<std::shared_ptr<DeviceStream>(const StreamRequest&)>;

  /// `backends` are tried in turn at the first `open`, the next one where nothing of the one before answers. `device`
  /// is an id, a name or a part of it; empty: the default. Constructing touches no device.
  Microphone(std::vector<Connect> backends, std::string device, std::shared_ptr<const Clock> clock);
  ~Microphone() override;

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void finish() noexcept override;
  void close() noexcept override;
  void set_device(const std::string& device) override;
  std::string description() const override { return description_; }
  double drift_ppm() const override { return device_clock_.drift_ppm(); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Arrival {
    Delivery delivery;
    std::optional<GapReason> breaks;     // the audio may not adjoin what was before, and why
    std::optional<SourceDevice> device;  // it comes from another device
  };

  void follow(std::shared_ptr<DeviceStream> stream);
  bool take_deliveries();
  void take_notices();
  void watch(bool arrived);
  void give_up_stream(GapReason reason, std::string why);
  void reconnect();
  void follow_choice();
  void switch_over();
  void fault(std::string message);
  Reading deliver(std::span<float> interleaved);
  std::optional<Frame> judge_break();
  void skip_until_opened(double early);
  Frame deliver_front(std::span<float> interleaved);
  Reading owed();
  Frame session_frames(std::uint64_t frames) const;

  const std::vector<Connect> backends_;
  std::string wanted_;
  const std::shared_ptr<const Clock> clock_;
  const Connect* backend_ = nullptr;  // the one that answered
  std::string description_;

  // The session.
  AudioFormat format_;
  TimePoint opened_;
  bool begun_ = false;  // the timeline: known where it begins
  Frame position_ = 0;  // of the next frame to deliver
  DeviceClock device_clock_;
  double behind_ = 0;  // seconds by which the timeline lags too little to make a gap of it; added to the next one
  bool finishing_ = false;

  // The stream that is being read, to its last sample, even where it is lost already.
  std::shared_ptr<DeviceStream> stream_;
  std::deque<Arrival> arrivals_;  // whose audio is still in the ring
  std::optional<TimePoint> last_arrival_;
  std::string device_;    // its name, which changes where the server moves the stream
  std::string moved_to_;  // told already, not yet reached
  bool suspended_ = false;
  std::chrono::nanoseconds silence_{0};  // watched since the last delivery
  TimePoint last_read_;
  bool stall_told_ = false;
  std::optional<FormatConverter> converter_;
  std::vector<float> raw_;
  std::vector<float> converted_;  // from converted_at_ on, still to deliver
  std::size_t converted_at_ = 0;

  // The stream that is to follow, while the one above is lost.
  bool lost_ = false;
  GapReason lost_reason_{};
  std::string lost_why_;
  std::shared_ptr<DeviceStream> next_;
  TimePoint next_attempt_;

  // The stream of another device that somebody chose: it follows once it is there.
  std::shared_ptr<DeviceStream> chosen_;
  std::string wanted_before_;

  std::deque<SourceFault> faults_;
};

}  // namespace dictum::capture
