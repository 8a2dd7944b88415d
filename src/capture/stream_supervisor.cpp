#include "capture/stream_supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "capture/timeline_aligner.hpp"

namespace dictum::capture {
namespace {

using namespace std::chrono_literals;

constexpr auto kOpenDeadline = 3s;
constexpr auto kCloseDeadline = 800ms;
constexpr auto kStallReported = 600ms;  // without deliveries ...
constexpr auto kStallLimit = 3s;        // ... and until the stream is replaced
constexpr auto kRetryPause = 250ms;     // between two attempts to connect

std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point deadline) {
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()), 0ms);
}

}  // namespace

StreamSupervisor::StreamSupervisor(std::vector<Backend> backends, std::string device,
                                   std::shared_ptr<const Clock> clock)
    : backends_(std::move(backends)), wanted_(std::move(device)), clock_(std::move(clock)) {}

void StreamSupervisor::open() {
  close();
  const auto deadline = std::chrono::steady_clock::now() + kOpenDeadline;
  std::optional<StreamFailure> failure;
  for (const Backend& backend : backends_) {
    if (backend_ != nullptr && backend_ != &backend) continue;
    auto stream = backend.open({wanted_, {}, clock_});
    if (!stream->wait_until_started(left_until(deadline))) {
      stream->request_stop();
      throw RecorderError(Errc::timed_out,
                          fmt::format("The input device \"{}\" delivered no audio within {} s: its sound server may be "
                                      "hung, or another program holds the device.",
                                      wanted_.empty() ? "default" : wanted_, kOpenDeadline.count()));
    }
    if (stream->state() == DeviceStream::State::streaming) {
      backend_ = &backend;
      replaces_ = true;
      watched_at_ = clock_->steady_now();
      adopt(std::move(stream));
      return;
    }
    // Where no later back end has a device either, the first one's reason is the one to act on.
    StreamFailure current = stream->failure();
    const bool is_last = !current.try_next_backend;
    if (failure && is_last) current.message = failure->message + " " + current.message;
    if (!failure || is_last) failure = std::move(current);
    if (is_last) break;
  }
  throw RecorderError(failure->code, failure->message);
}

void StreamSupervisor::close() noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kCloseDeadline;
  for (const auto& stream : {stream_, successor_}) {
    if (stream) stream->request_stop();
  }
  for (const auto& stream : {stream_, successor_}) {
    if (stream) stream->wait_until_ended(left_until(deadline));
  }
  stream_ = successor_ = nullptr;
  faults_.clear();
  state_ = State::closed;
}

void StreamSupervisor::adopt(std::shared_ptr<DeviceStream> stream) {
  stream_ = std::move(stream);
  state_ = State::streaming;
  quiet_ = 0ns;
  is_muted_ = false;
}

void StreamSupervisor::switch_to(const std::string& device) {
  if (device == wanted_) return;
  const std::string before = std::exchange(wanted_, device);
  if (successor_) successor_->request_stop();
  const bool replaces_choice = std::exchange(successor_, nullptr) != nullptr;
  if (state_ == State::closed || state_ == State::replacing) return;  // the next attempt opens it
  if (!replaces_choice) wanted_before_ = before;
  successor_ = backend_->open({wanted_, {}, clock_});
}

void StreamSupervisor::watch(bool received) {
  const TimePoint now = clock_->steady_now();
  const auto step = std::min<std::chrono::nanoseconds>(now - std::exchange(watched_at_, now), kMaxWatchStep);
  quiet_ = received ? 0ns : quiet_ + step;
  if (state_ != State::replacing) watch_current(received);
  watch_successor();
}

void StreamSupervisor::watch_current(bool received) {
  watch_status();
  if (state_ == State::suspended) quiet_ = 0ns;  // the server says when it continues
  if (received && state_ == State::stalled) state_ = State::streaming;
  if (stream_->state() == DeviceStream::State::lost) {
    report(Errc::device_lost, stream_->failure().message);
    begin_replacement(state_ == State::suspended ? GapReason::suspended : GapReason::device_lost,
                      stream_->failure().message);
  } else if (quiet_ > kStallLimit) {
    begin_replacement(GapReason::stalled, "the previous one delivered no more audio");
  } else if (quiet_ > kStallReported && state_ == State::streaming) {
    state_ = State::stalled;
    report(Errc::device_lost,
           fmt::format("The input device \"{}\" has stopped delivering audio.", stream_->description()));
  }
}

/// Reports what the sound system says about the current stream.
void StreamSupervisor::watch_status() {
  const StreamStatus status = stream_->status();
  if (status.is_suspended && state_ != State::suspended) {
    state_ = State::suspended;
    report(Errc::device_lost,
           fmt::format("The sound server has suspended the input device \"{}\".", stream_->description()));
  } else if (!status.is_suspended && state_ == State::suspended) {
    state_ = State::streaming;
  }
  const bool was_muted = std::exchange(is_muted_, !status.mute.empty());
  if (is_muted_ == was_muted) return;
  faults_.push_back(
      {"input_muted",
       is_muted_ ? status.mute : fmt::format("The input device \"{}\" is no longer muted.", status.device), true});
}

void StreamSupervisor::watch_successor() {
  const TimePoint now = clock_->steady_now();
  if (successor_ && successor_->state() == DeviceStream::State::lost) {
    if (state_ == State::replacing) {
      next_attempt_ = now + kRetryPause;
    } else {
      faults_.push_back({to_string(successor_->failure().code),
                         successor_->failure().message + " Recording continues with the previous device.", true});
      wanted_ = std::move(wanted_before_);
    }
    successor_ = nullptr;
  } else if (successor_ && successor_->state() == DeviceStream::State::streaming && state_ != State::replacing) {
    // A change of devices leaves a gap as a loss does, and events know no other reason for it.
    begin_replacement(GapReason::device_lost, "it was chosen");
  }
  if (state_ == State::replacing && !successor_ && replaces_ && now >= next_attempt_) {
    successor_ = backend_->open({wanted_, stream_->status().device, clock_});
  }
}

/// `gap` is why audio is missing between the two streams, `reason` why there is another device.
void StreamSupervisor::begin_replacement(GapReason gap, std::string reason) {
  stream_->request_stop();
  state_ = State::replacing;
  replacement_gap_ = gap;
  replacement_reason_ = std::move(reason);
  next_attempt_ = clock_->steady_now();
}

bool StreamSupervisor::has_replacement() const {
  return state_ == State::replacing && successor_ && successor_->state() == DeviceStream::State::streaming;
}

std::string StreamSupervisor::take_replacement() {
  adopt(std::exchange(successor_, nullptr));
  return std::exchange(replacement_reason_, {});
}

std::optional<SourceFault> StreamSupervisor::take_fault() {
  if (faults_.empty()) return std::nullopt;
  SourceFault fault = std::move(faults_.front());
  faults_.pop_front();
  return fault;
}

bool StreamSupervisor::expects_more() const {
  return state_ == State::streaming || state_ == State::suspended;
}

GapReason StreamSupervisor::gap_reason() const {
  if (state_ == State::replacing) return replacement_gap_;
  return state_ == State::suspended ? GapReason::suspended : GapReason::stalled;
}

void StreamSupervisor::report(Errc code, std::string message) {
  faults_.push_back({to_string(code), std::move(message) + " Recording continues when audio arrives again.", true});
}

}  // namespace dictum::capture
