#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dictum/error.hpp"
#include "pulse/libpulse.hpp"

/// PulseAudio's server, or PipeWire's that speaks its protocol.
namespace dictum::pulse {

struct Unref {
  void operator()(pa_mainloop* loop) const noexcept { libpulse().pa_mainloop_free(loop); }
  void operator()(pa_context* context) const noexcept { libpulse().pa_context_unref(context); }
  void operator()(pa_stream* stream) const noexcept { libpulse().pa_stream_unref(stream); }
  void operator()(pa_operation* operation) const noexcept { libpulse().pa_operation_unref(operation); }
};

using StreamHandle = std::unique_ptr<pa_stream, Unref>;
using OperationHandle = std::unique_ptr<pa_operation, Unref>;

/// A connection to the server, and the loop that its callbacks run in.
///
/// Threads: one, which owns it; `interrupt` may be called from any. The library's callbacks run only inside
/// `run_until`, so nothing here needs a lock. No call waits for the server beyond its deadline, the destructor
/// included.
class Connection {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Connects. Throws RecorderError: device_lost where no server can be reached, timed_out where it does not answer by
  /// the deadline, cancelled where `stopped` returns true.
  Connection(const char* application, TimePoint deadline, std::function<bool()> stopped = {});
  ~Connection();

  pa_context* context() noexcept { return context_.get(); }

  /// Runs the loop until `done` returns true; false where the deadline passed first, or `stopped` returned true.
  bool run_until(const std::function<bool()>& done, std::optional<TimePoint> deadline = std::nullopt);

  /// Runs the loop until the server has completed `operation`. Throws as the constructor does.
  void complete(OperationHandle operation, TimePoint deadline);

  /// False once the server is gone.
  bool is_alive() const noexcept;

  /// The library's last error, for a person.
  std::string reason() const;

  /// Makes `run_until` check its conditions again. From any thread.
  void interrupt() noexcept { libpulse().pa_mainloop_wakeup(loop_.get()); }

 private:
  [[noreturn]] void fail(const char* doing) const;

  std::function<bool()> stopped_;
  std::unique_ptr<pa_mainloop, Unref> loop_;
  std::unique_ptr<pa_context, Unref> context_;
};

}  // namespace dictum::pulse
