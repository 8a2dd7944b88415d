#include "capture/timeline_aligner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace dictum::capture {
namespace {

// Seconds of deliveries after a discontinuity until late audio has arrived, and the longest wait for that. After a
// stall that nobody reported the whole machine may be busy, so that audio stays late for longer.
struct Settling {
  double usual;
  double limit;
};
constexpr Settling kSettling{0.3, 1.5};
constexpr Settling kSettlingOfStall{1.0, 3.0};
constexpr double kMinGap = 0.010;  // seconds: less is jitter

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void TimelineAligner::start(AudioFormat format, TimePoint opened) {
  DeviceClock clock = std::move(clock_);
  *this = {};
  clock_ = std::move(clock);
  format_ = format;
  opened_ = opened;
  begin_stream(GapReason::device_lost, std::nullopt);
}

void TimelineAligner::begin_stream(GapReason discontinuity, std::optional<SourceDevice> device) {
  next_discontinuity_ = discontinuity;
  next_device_ = std::move(device);
}

void TimelineAligner::push(TimePoint arrived, std::optional<GapReason> discontinuity, Frame dropped,
                           std::span<const float> interleaved) {
  const auto frames = static_cast<Frame>(interleaved.size()) / format_.channels;
  const std::chrono::duration<double> covered(static_cast<double>(frames + dropped) / format_.sample_rate);
  if (next_discontinuity_) {
    discontinuity = std::exchange(next_discontinuity_, std::nullopt);
  } else if (!discontinuity && last_arrival_ && arrived - *last_arrival_ > covered + kLate) {
    discontinuity = GapReason::stalled;
  }
  last_arrival_ = arrived;
  samples_.insert(samples_.end(), interleaved.begin(), interleaved.end());
  blocks_.push_back({arrived, dropped, frames, discontinuity, {}, std::exchange(next_device_, std::nullopt)});
}

Reading TimelineAligner::read(std::span<float> interleaved, bool expects_more) {
  Reading reading;
  while (!blocks_.empty()) {
    if (blocks_.front().discontinuity && !measure_gap(expects_more)) break;
    reading.then = take_event();
    if (reading.then.index() != 0) break;
    const auto rest = interleaved.subspan(reading.frames * static_cast<std::size_t>(format_.channels));
    const Frame frames = take_frames(rest);
    reading.frames += static_cast<std::size_t>(frames);
    Block& block = blocks_.front();
    if (block.frames > 0) break;
    clock_.observe(block.arrived, position_);
    blocks_.pop_front();
  }
  return reading;
}

/// What happened right before the frames of the oldest block.
auto TimelineAligner::take_event() -> decltype(Reading::then) {
  Block& block = blocks_.front();
  if (block.gap.frames > 0) return insert_gap(std::exchange(block.gap, {}));
  if (block.device) return *std::exchange(block.device, std::nullopt);
  if (block.dropped > 0) return insert_gap({std::exchange(block.dropped, 0), GapReason::overflow});
  const double lost = clock_.jump();
  if (lost <= 0) return {};
  clock_.restart(clock_.floor_at(block.arrived));
  return insert_gap({std::llround(lost * format_.sample_rate), GapReason::overflow});
}

/// Frames of the oldest block; returns how many.
Frame TimelineAligner::take_frames(std::span<float> interleaved) {
  Block& block = blocks_.front();
  const Frame frames = std::min(block.frames, static_cast<Frame>(interleaved.size()) / format_.channels);
  const auto end = samples_.begin() + frames * format_.channels;
  std::copy(samples_.begin(), end, interleaved.begin());
  samples_.erase(samples_.begin(), end);
  block.frames -= frames;
  position_ += frames;
  return frames;
}

std::optional<SourceGap> TimelineAligner::close_gap(TimePoint now, bool is_out, GapReason reason) {
  if (!has_begun_) return std::nullopt;
  const double missing = clock_.lag(now, position_) - clock_.floor_at(now) + behind_;
  if (missing < (is_out ? kMinGap : seconds(kLate))) return std::nullopt;
  behind_ = 0;
  return insert_gap({std::llround(missing * format_.sample_rate), reason});
}

SourceGap TimelineAligner::insert_gap(SourceGap gap) {
  position_ += gap.frames;
  return gap;
}

TimelineAligner::Backlog TimelineAligner::examine_backlog() const {
  const TimePoint start = blocks_.front().arrived;
  const Settling settling = blocks_.front().discontinuity == GapReason::stalled ? kSettlingOfStall : kSettling;
  double least = std::numeric_limits<double>::infinity();
  double unsettled_at = 0;  // the least lag was reached, or deliveries stalled again
  double span = 0;
  Frame frames = 0;
  bool is_complete = false;
  for (const Block& block : blocks_) {
    const bool is_first = frames == 0;
    is_complete = !is_first && block.discontinuity && block.discontinuity != GapReason::stalled;
    if (is_complete) break;
    frames += block.dropped + block.frames;
    span = seconds(block.arrived - start);
    const double lag = span - static_cast<double>(frames) / format_.sample_rate;
    if (lag < least - 0.001 || (block.discontinuity && !is_first)) unsettled_at = span;
    least = std::min(least, lag);
  }
  const bool is_steady = span >= settling.usual && span - unsettled_at >= settling.usual / 2;
  return {least, is_complete || is_steady || span >= settling.limit};
}

/// Turns the discontinuity before the oldest block into a gap of what is missing there; false as long as that is not
/// known.
bool TimelineAligner::measure_gap(bool expects_more) {
  const Backlog backlog = examine_backlog();
  if (expects_more && !backlog.is_settled) return false;
  const TimePoint start = blocks_.front().arrived;
  const GapReason reason = *std::exchange(blocks_.front().discontinuity, std::nullopt);
  if (!std::exchange(has_begun_, true)) {
    clock_.begin(format_.sample_rate, start);
    skip(std::llround((seconds(opened_ - start) - backlog.least_lag) * format_.sample_rate));
    return true;
  }
  const double floor = clock_.floor_at(start);
  const double missing = clock_.lag(start, position_) + backlog.least_lag - floor + behind_;
  clock_.restart(floor);
  behind_ = missing > kMinGap ? 0 : missing;
  if (missing > kMinGap) blocks_.front().gap = {std::llround(missing * format_.sample_rate), reason};
  return true;
}

/// Leaves out the oldest frames, but never the last block: the timeline begins with it at the latest.
void TimelineAligner::skip(Frame frames) {
  while (frames > 0 && blocks_.size() > 1) {
    Block& block = blocks_.front();
    const Frame dropped = std::min(frames, block.dropped);
    const Frame skipped = std::min(frames - dropped, block.frames);
    samples_.erase(samples_.begin(), samples_.begin() + skipped * format_.channels);
    block.dropped -= dropped;
    block.frames -= skipped;
    frames -= dropped + skipped;
    if (block.frames + block.dropped > 0) return;
    blocks_.pop_front();
    blocks_.front().discontinuity.reset();
  }
}

}  // namespace dictum::capture
