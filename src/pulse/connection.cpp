#include "pulse/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace dictum::pulse {
namespace {

/// The setting that decides where the library looks for a server.
std::string server_setting() {
  if (const char* server = std::getenv("PULSE_SERVER")) return fmt::format("PULSE_SERVER={}", server);
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr ? fmt::format("XDG_RUNTIME_DIR={}", folder) : "XDG_RUNTIME_DIR is not set";
}

}  // namespace

Connection::Connection(const char* application, TimePoint deadline, std::function<bool()> stopped)
    : stopped_(std::move(stopped)), loop_(libpulse().pa_mainloop_new()) {
  if (!loop_) throw RecorderError(Errc::internal, "PulseAudio's library gave no main loop.");
  context_.reset(libpulse().pa_context_new(libpulse().pa_mainloop_get_api(loop_.get()), application));
  if (!context_) throw RecorderError(Errc::internal, "PulseAudio's library gave no context.");
  // No autospawn: it forks in the middle of a program with threads. Where the distribution starts a server on demand,
  // its socket does that.
  libpulse().pa_context_connect(context_.get(), nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr);
  run_until([&] { return !is_alive() || libpulse().pa_context_get_state(context_.get()) == PA_CONTEXT_READY; },
            deadline);
  if (libpulse().pa_context_get_state(context_.get()) != PA_CONTEXT_READY) fail("connect");
}

Connection::~Connection() {
  if (context_) libpulse().pa_context_disconnect(context_.get());
}

bool Connection::run_until(const std::function<bool()>& done, std::optional<TimePoint> deadline) {
  while (!done()) {
    if (stopped_ && stopped_()) return false;
    int timeout_us = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::microseconds>(*deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      timeout_us = static_cast<int>(std::min<std::chrono::microseconds::rep>(left.count(), 1'000'000));
    }
    if (libpulse().pa_mainloop_prepare(loop_.get(), timeout_us) < 0 || libpulse().pa_mainloop_poll(loop_.get()) < 0 ||
        libpulse().pa_mainloop_dispatch(loop_.get()) < 0) {
      return false;
    }
  }
  return true;
}

void Connection::complete(OperationHandle operation, TimePoint deadline) {
  const auto is_running = [&] { return libpulse().pa_operation_get_state(operation.get()) == PA_OPERATION_RUNNING; };
  if (!operation || !run_until([&] { return !is_alive() || !is_running(); }, deadline) || is_running()) {
    if (operation) libpulse().pa_operation_cancel(operation.get());
    fail("answer");
  }
}

bool Connection::is_alive() const noexcept {
  return PA_CONTEXT_IS_GOOD(libpulse().pa_context_get_state(context_.get()));
}

std::string Connection::reason() const {
  return libpulse().pa_strerror(libpulse().pa_context_errno(context_.get()));
}

void Connection::fail(const char* doing) const {
  if (stopped_ && stopped_()) throw RecorderError(Errc::cancelled, "The stream was stopped.");
  if (is_alive()) {
    throw RecorderError(
        Errc::timed_out,
        fmt::format("The sound server ({}) did not {} in time: it may be hung. Restart it.", server_setting(), doing));
  }
  throw RecorderError(Errc::device_lost,
                      fmt::format("No sound server can be reached ({}): {}. Start PulseAudio or PipeWire, or run this "
                                  "program in a session that has one.",
                                  server_setting(), reason()));
}

}  // namespace dictum::pulse
