#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dictum/recorder_backend.hpp"
#include "session/manifest.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::test {

using TimePoint = std::chrono::steady_clock::time_point;

double seconds(std::chrono::nanoseconds duration);

/// Whether the long version of a test is wanted.
bool is_soak();

/// What a real microphone gave to a recording, seen between the two: to be compared with what the session holds.
/// Written on the recorder's thread, to be read once the recording is over.
struct Received {
  std::string backend = "pulse";
  std::string device;

  TimePoint opened{};
  AudioFormat format;
  std::vector<std::int16_t> timeline;  ///< mono; gaps are zeros
  Frame captured = 0;
  std::vector<session::Gap> gaps;
  /// Seconds from `open` to `finish` that are not on the timeline. It is the least of the last quarter of a second:
  /// audio that is merely on its way, however busy the machine is, does not count.
  double behind = 0;
};

/// The source of a recording that is the real microphone and records in `received` what it delivers.
std::function<std::unique_ptr<AudioSource>()> observed_microphone(std::shared_ptr<Received> received);

/// A recording of a real microphone by the whole recorder, without texts. Lives on the test's thread.
class LiveRecording {
 public:
  struct Logged {
    Event event;
    TimePoint at;  ///< when the callback was entered
  };

  explicit LiveRecording(const std::string& backend, const std::function<void(RecorderConfig&)>& change = {});

  /// Throws RecorderError.
  void start() { recorder_->start_recording(); }

  /// Ends the recording; returns how long that took.
  std::chrono::nanoseconds stop();

  /// Waits for an event that was delivered after `since` and that `is_meant`; empty where none is within `limit`.
  std::optional<Logged> wait_for(const std::function<bool(const Logged&)>& is_meant, TimePoint since,
                                 std::chrono::milliseconds limit) const;

  template <class Body>
  std::optional<Logged> wait_for(TimePoint since, std::chrono::milliseconds limit) const {
    return wait_for([](const Logged& entry) { return std::holds_alternative<Body>(entry.event.body); }, since, limit);
  }

  /// Waits until the newest level is one of sound, or of silence.
  bool wait_for_sound(bool sound, std::chrono::milliseconds limit) const;

  template <class Body>
  std::vector<Body> all() const {
    const std::lock_guard lock(log_->mutex);
    std::vector<Body> found;
    for (const Logged& entry : log_->events) {
      if (const auto* body = std::get_if<Body>(&entry.event.body)) found.push_back(*body);
    }
    return found;
  }

  // Once it is over.
  const Received& received() const { return *received_; }
  std::filesystem::path session() const { return recorder_->get_session_path(); }
  session::Manifest manifest() const { return session::read_manifest(session()); }

  /// Everything in which the session differs from what the microphone gave; one sentence each.
  std::vector<std::string> differences() const;

 private:
  struct Log {
    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    std::vector<Logged> events;
  };

  TemporaryDirectory folder_;
  std::shared_ptr<Received> received_ = std::make_shared<Received>();
  std::shared_ptr<Log> log_ = std::make_shared<Log>();
  std::unique_ptr<RecorderBackend> recorder_;
};

}  // namespace dictum::test
