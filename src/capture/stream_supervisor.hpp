#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/backend.hpp"
#include "capture/device_stream.hpp"
#include "dictum/clock.hpp"
#include "dictum/event.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// Keeps a stream from a device open: opens it, watches it, and opens another one where it is lost or the user chooses
/// another device. The current stream stays the current one, to be read to its last sample, until its replacement
/// delivers and is taken.
///
/// Threads: the reader's; the device's own thread belongs to the stream. Owner: the microphone. `open` waits for up to
/// 3 s, `close` for up to 0.8 s; a driver's thread that hangs longer is abandoned with what it holds. Nothing else
/// blocks.
class StreamSupervisor {
 public:
  /// A reader that slept for longer does not know what arrived meanwhile.
  static constexpr std::chrono::milliseconds kMaxWatchStep{250};

  /// `backends` are tried in order at the first `open`; the next one where the one before reaches no server.
  StreamSupervisor(std::vector<Backend> backends, std::string device, std::shared_ptr<const Clock> clock);
  ~StreamSupervisor() { close(); }

  /// Opens a stream and waits for its first samples. Throws RecorderError.
  void open();
  void close() noexcept;
  bool is_open() const { return state_ != State::closed; }

  /// Opens no more streams.
  void stop_replacing() { replaces_ = false; }

  /// Switches to this device once it delivers; until then, and where it cannot be opened, the current one continues.
  void switch_to(const std::string& device);

  /// The current stream, open or lost.
  DeviceStream& stream() { return *stream_; }

  /// Checks the current stream and its replacement. To be called after every attempt to read; `received` says whether
  /// something arrived.
  void watch(bool received);

  /// Whether the current stream is to be replaced and its replacement delivers.
  bool has_replacement() const;

  /// Makes the replacement the current stream. Returns why there is one.
  std::string take_replacement();

  /// The oldest fault that was not taken yet.
  std::optional<SourceFault> take_fault();

  bool is_muted() const { return is_muted_; }

  /// Whether the next delivery is due within a moment.
  bool expects_more() const;

  /// Whether the device is known not to deliver, and why.
  bool is_out() const { return state_ != State::streaming; }
  GapReason gap_reason() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  enum class State {
    closed,
    streaming,
    stalled,
    suspended,
    replacing,  // the current stream is lost, or the chosen device delivers: it is read to its end and then replaced
  };

  void adopt(std::shared_ptr<DeviceStream> stream);
  void watch_current(bool received);
  void watch_status();
  void watch_successor();
  void begin_replacement(GapReason gap, std::string reason);
  void report(Errc code, std::string message);

  const std::vector<Backend> backends_;
  std::string wanted_;
  const std::shared_ptr<const Clock> clock_;
  const Backend* backend_ = nullptr;  // the one that answered at the first open
  bool replaces_ = true;

  State state_ = State::closed;
  std::shared_ptr<DeviceStream> stream_;
  std::chrono::nanoseconds quiet_{0};  // time without deliveries during which the reader was running
  TimePoint watched_at_;
  bool is_muted_ = false;
  GapReason replacement_gap_{};
  std::string replacement_reason_;

  // Follows the current stream once it delivers. Opened where the current one is lost, then again and again until one
  // delivers; or where the user has chosen another device, then once, and the current one stays where that fails.
  std::shared_ptr<DeviceStream> successor_;
  TimePoint next_attempt_;
  std::string wanted_before_;

  std::deque<SourceFault> faults_;
};

}  // namespace dictum::capture
