#include "capture/microphone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dictum::capture {
namespace {

using namespace std::chrono_literals;

constexpr auto kOpenDeadline = 3s;
constexpr auto kCloseDeadline = 800ms;
constexpr auto kStall = 100ms;        // deliveries this late may have lost something
constexpr auto kStallTold = 600ms;    // nothing for so long is told ...
constexpr auto kStallPatience = 3s;   // ... and for so long, the stream is given up for another
constexpr auto kRetryPause = 250ms;   // between two attempts to connect
constexpr auto kWatchedStep = 100ms;  // silence counts only while it is looked at: a reader that slept knows nothing
constexpr double kSettling = 0.3;     // seconds of deliveries after a break until the backlog has come ...
constexpr double kLongestSettling = 1.5;  // ... or the longest wait for that
constexpr double kHalfFragment = 0.010;   // the most by which the lag is above its floor on the average
constexpr double kLeastGap = 0.010;       // seconds: less is jitter

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Microphone::Microphone(std::vector<Connect> backends, std::string device, std::shared_ptr<const Clock> clock)
    : backends_(std::move(backends)),
      wanted_(std::move(device)),
      clock_(std::move(clock)),
      description_(wanted_.empty() ? "default input device" : wanted_) {}

Microphone::~Microphone() {
  close();
}

AudioFormat Microphone::open() {
  close();
  const auto deadline = std::chrono::steady_clock::now() + kOpenDeadline;
  StreamFailure failure{Errc::internal, "No capture backend was built."};
  for (const auto& backend : backends_) {
    if (backend_ != nullptr && backend_ != &backend) continue;
    auto stream = backend({wanted_, {}, clock_});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!stream->wait_until_started(std::max(left, 0ms))) {
      stream->request_stop();
      throw RecorderError(
          Errc::timed_out,
          fmt::format("The input device \"{}\" gave no audio within {} s: its sound server may be hung, "
                      "or the device held by another program.",
                      wanted_.empty() ? "default" : wanted_, kOpenDeadline.count()));
    }
    if (stream->state() == DeviceStream::State::streaming) {
      backend_ = &backend;
      if (format_ == AudioFormat{}) format_ = stream->format();  // after a pause the session keeps its own
      description_ = stream->description();
      last_read_ = opened_ = clock_->steady_now();
      follow(std::move(stream));
      return format_;
    }
    failure = stream->failure();
    if (!failure.no_server) break;
  }
  throw RecorderError(failure.code, failure.message);
}

void Microphone::close() noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kCloseDeadline;
  for (const auto& stream : {stream_, next_, chosen_}) {
    if (stream) stream->request_stop();
  }
  for (const auto& stream : {stream_, next_, chosen_}) {
    if (!stream) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    stream->wait_until_ended(std::max(left, 0ms));
  }
  stream_ = next_ = chosen_ = nullptr;
  arrivals_.clear();
  faults_.clear();
  position_ = 0;
  behind_ = 0;
  finishing_ = lost_ = begun_ = false;
}

void Microphone::set_device(const std::string& device) {
  if (device == wanted_) return;
  const std::string before = std::exchange(wanted_, device);
  if (!stream_ || lost_) {
    if (next_) next_->request_stop();  // of the one before
    next_ = nullptr;
    return;
  }
  if (chosen_) {
    chosen_->request_stop();
  } else {
    wanted_before_ = before;
  }
  chosen_ = (*backend_)({wanted_, {}, clock_});
}

void Microphone::finish() noexcept {
  finishing_ = true;
}

Reading Microphone::read(std::span<float> interleaved) {
  if (!stream_) return {};
  const bool arrived = take_deliveries();
  take_notices();
  watch(arrived);
  if (!faults_.empty()) {
    Reading reading{0, std::move(faults_.front())};
    faults_.pop_front();
    return reading;
  }
  return deliver(interleaved);
}

/// Reads from `stream` from now on.
void Microphone::follow(std::shared_ptr<DeviceStream> stream) {
  stream_ = std::move(stream);
  device_ = stream_->device();
  last_arrival_.reset();
  moved_to_.clear();
  suspended_ = stall_told_ = false;
  silence_ = 0ns;
  converter_.reset();
  if (stream_->format() != format_) converter_.emplace(stream_->format(), format_);
  converted_.clear();
  converted_at_ = 0;
}

bool Microphone::take_deliveries() {
  bool arrived = false;
  for (Delivery delivery; stream_->ring().take(delivery); arrived = true) {
    Arrival arrival{delivery, {}, {}};
    const auto covered = std::chrono::duration<double>(static_cast<double>(delivery.frames + delivery.dropped) /
                                                       stream_->format().sample_rate);
    if (!last_arrival_) {
      arrival.breaks = lost_reason_;
    } else if (delivery.incident == Incident::suspended) {
      arrival.breaks = GapReason::suspended;
    } else if (delivery.incident == Incident::moved) {
      arrival.breaks = GapReason::device_lost;
    } else if (delivery.incident == Incident::overflow) {
      arrival.breaks = GapReason::overflow;
    } else if (delivery.arrived - *last_arrival_ > covered + kStall) {
      arrival.breaks = GapReason::stalled;
    }
    last_arrival_ = delivery.arrived;
    arrivals_.push_back(std::move(arrival));
  }
  return arrived;
}

void Microphone::take_notices() {
  for (auto& notice : stream_->take_notices()) {
    switch (notice.kind) {
      case StreamNotice::Kind::suspended:
        if (!std::exchange(suspended_, true))
          fault(fmt::format("The input device \"{}\" was suspended.", description_));
        break;
      case StreamNotice::Kind::resumed:
        suspended_ = false;
        break;
      case StreamNotice::Kind::moved:
        moved_to_ = std::move(notice.device);
        break;
    }
  }
  if (moved_to_.empty()) return;
  const auto first =
      std::ranges::find(arrivals_, Incident::moved, [](const Arrival& a) { return a.delivery.incident; });
  if (first == arrivals_.end()) return;
  device_ = std::exchange(moved_to_, {});
  first->device = SourceDevice{device_, "the sound server moved the recording there"};
}

/// Compares what has come with the clock, and sees to it that there is a stream.
void Microphone::watch(bool arrived) {
  const TimePoint now = clock_->steady_now();
  const auto watched = std::min<std::chrono::nanoseconds>(now - std::exchange(last_read_, now), kWatchedStep);
  if (chosen_) follow_choice();
  if (lost_) {
    reconnect();
    return;
  }
  if (arrived) {
    silence_ = 0ns;
    stall_told_ = false;
  } else if (!suspended_) {
    silence_ += watched;
  }
  if (stream_->state() == DeviceStream::State::lost) {
    fault(stream_->failure().message);
    give_up_stream(suspended_ ? GapReason::suspended : GapReason::device_lost, stream_->failure().message);
  } else if (silence_ > kStallPatience) {
    give_up_stream(GapReason::stalled, "the one before delivered nothing any more");
  } else if (silence_ > kStallTold && !std::exchange(stall_told_, true)) {
    fault(fmt::format("The input device \"{}\" has stopped delivering audio.", description_));
  }
}

void Microphone::give_up_stream(GapReason reason, std::string why) {
  stream_->request_stop();
  lost_ = true;
  lost_reason_ = reason;
  lost_why_ = std::move(why);
  next_attempt_ = clock_->steady_now();
  reconnect();
}

/// What is recorded goes on until the chosen device delivers.
void Microphone::follow_choice() {
  if (lost_) {  // meanwhile
    chosen_->request_stop();
    chosen_ = nullptr;
  } else if (chosen_->state() == DeviceStream::State::lost) {
    faults_.push_back({to_string(chosen_->failure().code),
                       chosen_->failure().message + " Recording goes on with the one before.", true});
    chosen_ = nullptr;
    wanted_ = std::move(wanted_before_);
  } else if (chosen_->state() == DeviceStream::State::streaming) {
    stream_->request_stop();
    lost_ = true;
    lost_reason_ = GapReason::device_lost;
    lost_why_ = "it was chosen";
    next_ = std::exchange(chosen_, nullptr);
  }
}

void Microphone::reconnect() {
  if (next_ && next_->state() == DeviceStream::State::lost) {
    next_ = nullptr;
    next_attempt_ = clock_->steady_now() + kRetryPause;
  }
  if (!next_ && !finishing_ && clock_->steady_now() >= next_attempt_) next_ = (*backend_)({wanted_, device_, clock_});
}

/// The lost stream is read out, and another one is there.
void Microphone::switch_over() {
  const std::string before = device_;
  follow(std::move(next_));
  lost_ = false;
  take_deliveries();
  if (device_ == before) return;
  description_ = stream_->description();
  arrivals_.front().device = SourceDevice{device_, lost_why_};
}

void Microphone::fault(std::string message) {
  faults_.push_back(
      {to_string(Errc::device_lost), std::move(message) + " Recording goes on when audio comes again.", true});
}

Frame Microphone::session_frames(std::uint64_t frames) const {
  const double ratio = static_cast<double>(format_.sample_rate) / stream_->format().sample_rate;
  return static_cast<Frame>(std::llround(static_cast<double>(frames) * ratio));
}

Reading Microphone::deliver(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t room = interleaved.size() / channels;
  Reading reading;
  while (reading.frames < room) {
    if (arrivals_.empty() && converted_at_ == converted_.size()) {
      if (lost_ && next_ && next_->state() == DeviceStream::State::streaming && !take_deliveries()) {
        switch_over();
        continue;
      }
      if (finishing_ && reading.frames == 0) return owed();
      break;
    }
    if (converted_at_ == converted_.size()) {
      Arrival& front = arrivals_.front();
      if (front.breaks) {
        const auto gap = judge_break();
        if (!gap) break;
        if (*gap > 0) {
          const GapReason reason = *std::exchange(front.breaks, std::nullopt);
          position_ += *gap;
          reading.then = SourceGap{*gap, reason};
          break;
        }
        arrivals_.front().breaks.reset();
        continue;
      }
      if (front.device) {
        reading.then = *std::exchange(front.device, std::nullopt);
        break;
      }
      if (front.delivery.dropped > 0) {
        const Frame gap = session_frames(std::exchange(front.delivery.dropped, 0));
        position_ += gap;
        reading.then = SourceGap{gap, GapReason::overflow};
        break;
      }
    }
    reading.frames += static_cast<std::size_t>(deliver_front(interleaved.subspan(reading.frames * channels)));
    if (const double lost = device_clock_.jump(); lost > 0) {
      const Frame gap = std::llround(lost * format_.sample_rate);
      device_clock_.restart(device_clock_.floor_at(clock_->steady_now()));
      position_ += gap;
      reading.then = SourceGap{gap, GapReason::overflow};
      break;
    }
  }
  return reading;
}

/// How many frames are missing before the oldest arrival; empty as long as that cannot be told.
std::optional<Frame> Microphone::judge_break() {
  // The least lag of the deliveries up to the next break, against what it was before.
  const TimePoint start = arrivals_.front().delivery.arrived;
  const int rate = stream_->format().sample_rate;
  double least = std::numeric_limits<double>::infinity();
  double least_at = 0;
  double span = 0;
  double lag = 0;
  double area = 0;  // under the lag over time, which grows between deliveries and falls with them
  std::uint64_t frames = 0;
  bool is_whole = finishing_ || lost_ || silence_ > kStall;
  for (const auto& arrival : arrivals_) {
    if (frames > 0 && arrival.breaks) {
      is_whole = true;
      break;
    }
    frames += arrival.delivery.frames + arrival.delivery.dropped;
    const double step = seconds(arrival.delivery.arrived - start) - span;
    area += (lag + step / 2) * step;
    span += step;
    lag = span - static_cast<double>(frames) / rate;
    if (lag < least - 0.001) least_at = span;
    least = std::min(least, lag);
  }
  const bool is_steady = span >= kSettling && span - least_at >= kSettling / 2;
  if (!is_whole && !is_steady && span < kLongestSettling) return std::nullopt;

  if (!std::exchange(begun_, true)) {
    device_clock_.begin(format_.sample_rate, start);
    const double usual = span > 0 ? std::min(area / span, least + kHalfFragment) : least;
    skip_until_opened(seconds(opened_ - start) - usual);
    return 0;
  }
  const double floor = device_clock_.floor_at(start);
  const double missing = device_clock_.lag(start, position_) + least - floor + behind_;
  const bool is_gap = missing > kLeastGap;
  behind_ = is_gap ? 0 : missing;
  device_clock_.restart(floor);
  return is_gap ? std::llround(missing * format_.sample_rate) : 0;
}

/// The timeline begins when `open` returned, so that it is the time since then, as exactly as the device delivers. What
/// buffers had heard before, `early` seconds, is left out.
void Microphone::skip_until_opened(double early) {
  auto frames = static_cast<std::size_t>(std::max(std::llround(early * stream_->format().sample_rate), 0LL));
  while (frames > 0 && arrivals_.size() > 1) {
    auto& delivery = arrivals_.front().delivery;
    const std::size_t count = std::min<std::size_t>(frames, delivery.frames);
    raw_.resize(count * static_cast<std::size_t>(stream_->format().channels));
    stream_->ring().pop(raw_);
    delivery.frames -= static_cast<std::uint32_t>(count);
    frames -= count;
    if (delivery.frames == 0) arrivals_.pop_front();
  }
  arrivals_.front().breaks.reset();
}

/// Audio of the oldest arrival; returns the frames written.
Frame Microphone::deliver_front(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t room = interleaved.size() / channels;
  if (converter_ && converted_at_ == converted_.size()) {
    const auto& delivery = arrivals_.front().delivery;
    raw_.resize(static_cast<std::size_t>(delivery.frames) * static_cast<std::size_t>(stream_->format().channels));
    stream_->ring().pop(raw_);
    converted_.clear();
    converted_at_ = 0;
    converter_->process(raw_, converted_);
    device_clock_.observe(delivery.arrived, position_ + static_cast<Frame>(converted_.size() / channels));
    arrivals_.pop_front();
  }
  std::size_t count = 0;
  if (converter_) {
    count = std::min(room, (converted_.size() - converted_at_) / channels);
    std::copy_n(converted_.begin() + static_cast<std::ptrdiff_t>(converted_at_), count * channels, interleaved.begin());
    converted_at_ += count * channels;
    position_ += static_cast<Frame>(count);
  } else {
    auto& delivery = arrivals_.front().delivery;
    count = std::min<std::size_t>(room, delivery.frames);
    stream_->ring().pop(interleaved.first(count * channels));
    delivery.frames -= static_cast<std::uint32_t>(count);
    position_ += static_cast<Frame>(count);
    if (delivery.frames == 0) {
      device_clock_.observe(delivery.arrived, position_);
      arrivals_.pop_front();
    }
  }
  return static_cast<Frame>(count);
}

/// What is missing up to now, when no more audio will be read.
Reading Microphone::owed() {
  if (const auto dropped = stream_->ring().take_dropped(); dropped > 0) {
    const Frame gap = session_frames(dropped);
    position_ += gap;
    return {0, SourceGap{gap, GapReason::overflow}};
  }
  const TimePoint now = clock_->steady_now();
  const double missing = device_clock_.lag(now, position_) - device_clock_.floor_at(now) + behind_;
  const bool is_out = lost_ || suspended_ || stall_told_;
  if (!begun_ || missing < (is_out ? kLeastGap : seconds(kStall))) return {};
  const Frame gap = std::llround(missing * format_.sample_rate);
  position_ += gap;
  behind_ = 0;
  return {0, SourceGap{gap, lost_ ? lost_reason_ : suspended_ ? GapReason::suspended : GapReason::stalled}};
}

}  // namespace dictum::capture
