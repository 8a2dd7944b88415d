#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "capture/capture_ring.hpp"
#include "dictum/clock.hpp"
#include "dictum/error.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// Which device to open a stream to.
struct StreamRequest {
  std::string wanted;    ///< id, name or part; empty: the default
  std::string previous;  ///< the name of the device that was just lost; empty at the first attempt
  std::shared_ptr<const Clock> clock;
};

/// Why a stream could not be opened, or ended.
struct StreamFailure {
  Errc code = Errc::device_lost;
  std::string message;
  bool try_next_backend = false;  ///< this back end reached no server, or nothing that could list devices
};

/// What the sound system reports about a running stream beside its audio.
struct StreamStatus {
  std::string device;  ///< its name, which changes where the server moves the stream
  bool is_suspended = false;
  std::string mute;  ///< where the sound system silences the device: a sentence that says so and how to change it
};

/// One connection to one device, from the attempt to its end: what the device's thread and the reader share.
///
/// Threads: named at each part. Owner: both, by shared_ptr: a thread that hangs in a driver is abandoned together with
/// everything that it may still access. Nothing here blocks but the waits, which are bounded by their caller.
class DeviceStream {
 public:
  enum class State { connecting, streaming, lost };

  /// Runs `body` on a thread of its own, named "audio". It returns when the stream was stopped or has ended; the
  /// objects of the driver are its local variables.
  static std::shared_ptr<DeviceStream> launch(std::function<void(DeviceStream&)> body);

  // For the reader.

  State state() const noexcept { return state_.load(std::memory_order_acquire); }

  /// Waits until audio arrives or the attempt failed; false where neither happened in time.
  bool wait_until_started(std::chrono::milliseconds limit);

  /// Once streaming:
  CaptureRing& ring() noexcept { return *ring_; }
  AudioFormat format() const noexcept { return format_; }
  const std::string& description() const noexcept { return description_; }  ///< for people
  StreamStatus status() const;

  /// Once lost.
  StreamFailure failure() const;

  /// Asks the device's thread to end; returns at once.
  void request_stop() noexcept;

  /// Waits until everything of the stream is gone; false where it is not in time.
  bool wait_until_ended(std::chrono::milliseconds limit) noexcept;

  // For the device's thread, and for the callbacks of its library that are not the audio's.

  bool stop_requested() const noexcept { return stop_requested_.load(std::memory_order_acquire); }

  /// Waits until a stop is requested, or `lose` was called, at most this long; true if so.
  bool wait_for_end(std::optional<std::chrono::milliseconds> limit = std::nullopt);

  /// What `request_stop` calls, on the reader's thread, to wake the device's. Cleared before it becomes invalid.
  void on_stop(std::function<void()> wake);

  /// The device is chosen: makes the ring.
  CaptureRing& prepare(AudioFormat format, std::string device, std::string description,
                       std::shared_ptr<const Clock> clock);

  /// Real audio has arrived.
  void start();

  void update(const std::function<void(StreamStatus&)>& change);

  /// The stream could not be made, or is over. Only the first reason counts.
  void lose(StreamFailure failure);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<State> state_{State::connecting};
  std::atomic<bool> stop_requested_{false};
  bool ended_ = false;
  StreamFailure failure_;
  StreamStatus status_;
  std::function<void()> wake_;

  // Written before the state is `streaming`, constant afterwards.
  std::unique_ptr<CaptureRing> ring_;
  AudioFormat format_;
  std::string description_;
};

}  // namespace dictum::capture
