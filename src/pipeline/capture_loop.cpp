#include "pipeline/capture_loop.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <climits>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/outcome.hpp"

namespace dictum::pipeline {
namespace {

constexpr double kBatchSec = 0.8;   // so that few batches pass through the strands, and each is bounded
constexpr int kMaxReadings = 4096;  // in one go: a source that never runs dry cannot hold up a stop

// Between two reports that say only how far the audio is: while a segment is open, and while none is.
constexpr double kProgressSec = 0.1;
constexpr double kQuietProgressSec = 0.5;

}  // namespace

std::int64_t bytes_of(const std::vector<StreamItem>& items) {
  std::size_t bytes = items.size() * sizeof(StreamItem);
  for (const StreamItem& item : items) {
    if (const auto* audio = std::get_if<SegmentAudio>(&item)) bytes += audio->samples.size() * sizeof(std::int16_t);
    if (const auto* audio = std::get_if<TimelineAudio>(&item)) bytes += audio->samples.size() * sizeof(std::int16_t);
    if (const auto* computed = std::get_if<Probabilities>(&item)) bytes += computed->values.size() * sizeof(float);
  }
  return static_cast<std::int64_t>(bytes);
}

CaptureLoop::CaptureLoop(boost::asio::any_io_executor listen, const RecorderConfig& config,
                         std::shared_ptr<const Clock> clock, const Timers& timers, std::unique_ptr<AudioSource> source,
                         std::unique_ptr<VoiceActivityDetector> detector)
    : listen_(std::move(listen)),
      config_(config),
      clock_(std::move(clock)),
      source_(std::move(source)),
      detector_(std::move(detector)),
      timer_(timers.make_timer(listen_)) {}

CaptureLoop::~CaptureLoop() {
  roll_back();
}

AudioFormat CaptureLoop::open() {
  format_ = source_->open();
  state_ = State::opened;
  if (format_.sample_rate < 1 || format_.channels < 1) {
    throw RecorderError(Errc::input_unreadable, source_->description() + ": the source gave no valid format.");
  }
  pipeline_.emplace(config_, format_, std::move(detector_));
  backlog_.emplace(can_wait());
  duration_ = std::llround(config_.capture.duration_sec * format_.sample_rate);
  longest_silence_ = std::llround(config_.capture.stop_after_silence_sec * format_.sample_rate);
  const int block =
      config_.capture.block_frames > 0 ? config_.capture.block_frames : std::max(1, format_.sample_rate / 10);
  buffer_.resize(static_cast<std::size_t>(block) * static_cast<std::size_t>(format_.channels));
  return format_;
}

void CaptureLoop::run(Sink sink) {
  sink_ = std::move(sink);
  state_ = State::running;
  schedule(std::chrono::milliseconds(0));
}

void CaptureLoop::continue_reading() {
  if (state_ == State::running) schedule(std::chrono::milliseconds(0));
}

void CaptureLoop::schedule(std::chrono::milliseconds delay) {
  if (step_is_posted_ || timer_->is_running()) return;
  if (delay.count() > 0) {
    timer_->start(delay, [this] { step(); });  // which ends with us
    return;
  }
  step_is_posted_ = true;
  boost::asio::post(listen_, [self = shared_from_this()] {
    self->step_is_posted_ = false;
    self->step();
  });
}

void CaptureLoop::step() {
  if (state_ != State::running) return;
  if (backlog_->is_full()) {
    was_full_ = true;
    return;  // continue_reading() is called when there is room
  }
  std::vector<StreamItem> items;
  Read last = Read::something;
  try {
    const Frame full = pipeline_->captured() + std::llround(kBatchSec * format_.sample_rate);
    for (int i = 0; last == Read::something && i < kMaxReadings && pipeline_->captured() < full; ++i) {
      last = read_once(items);
    }
    if (last == Read::end) {
      items.emplace_back(EndReached{pipeline_->now()});
      finish(std::move(items), std::nullopt);
      return;
    }
  } catch (...) {
    finish(std::move(items), error_of_current_exception());
    return;
  }
  was_full_ = false;
  send(std::move(items));
  schedule(last == Read::something ? std::chrono::milliseconds(0) : pace());
}

void CaptureLoop::set_muted(bool muted) {
  if (!can_wait()) step();
  pipeline_->set_muted(muted);
}

std::chrono::milliseconds CaptureLoop::pace() const {
  if (pipeline_->is_segment_open()) return source_->pace();
  const double level_hz = config_.events.level_hz;
  const auto level_interval = std::chrono::milliseconds(level_hz > 0 ? std::llround(1000 / level_hz) : INT_MAX);
  return std::max(source_->pace(), std::min(source_->quiet_pace(), level_interval));
}

CaptureLoop::Read CaptureLoop::read_once(std::vector<StreamItem>& out) {
  const Reading reading = source_->read(buffer_);
  const std::size_t values = std::min(buffer_.size(), reading.frames * static_cast<std::size_t>(format_.channels));
  if (!process(std::span(buffer_).first(values), out)) return Read::end;
  if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
    const auto reason = was_full_ && gap->reason == GapReason::overflow ? GapReason::disk : gap->reason;
    pipeline_->insert_gap(duration_ > 0 ? std::min(gap->frames, duration_ - pipeline_->now()) : gap->frames, reason,
                          out);
    if (has_reached_its_end()) return Read::end;
  } else if (const auto* device = std::get_if<SourceDevice>(&reading.then)) {
    out.emplace_back(*device);
  } else if (const auto* fault = std::get_if<SourceFault>(&reading.then)) {
    out.emplace_back(*fault);
  } else if (std::holds_alternative<SourceEnd>(reading.then)) {
    return Read::end;
  } else if (values == 0) {
    return Read::nothing;
  }
  return Read::something;
}

/// Whether the recording goes on behind these samples; where it does not, what follows its end is left out. Every end
/// is a number of frames, the same for a file, a stream and a device, whatever the blocks.
bool CaptureLoop::process(std::span<const float> interleaved, std::vector<StreamItem>& out) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const Frame window = pipeline_->window_frames();
  while (!interleaved.empty()) {
    auto frames = static_cast<Frame>(interleaved.size() / channels);
    if (duration_ > 0) frames = std::min(frames, duration_ - pipeline_->now());
    if (longest_silence_ > 0) frames = std::min(frames, window - pipeline_->now() % window);
    if (frames > 0) pipeline_->process(interleaved.first(static_cast<std::size_t>(frames) * channels), out);
    if (has_reached_its_end()) return false;
    interleaved = interleaved.subspan(static_cast<std::size_t>(frames) * channels);
  }
  return !has_reached_its_end();
}

bool CaptureLoop::has_reached_its_end() const {
  const Frame now = pipeline_->now();
  if (duration_ > 0 && now >= duration_) return true;
  return longest_silence_ > 0 && now % pipeline_->window_frames() == 0 && pipeline_->silence() >= longest_silence_;
}

void CaptureLoop::read_rest(std::vector<StreamItem>& out) {
  if (source_->pace().count() == 0) return;  // a file holds its rest; a device's buffer is what was said before now
  source_->finish();
  for (int i = 0; i < kMaxReadings && read_once(out) == Read::something; ++i) {
  }
}

void CaptureLoop::stop() {
  if (state_ == State::closed || state_ == State::made) return;
  std::vector<StreamItem> items;
  std::optional<EventError> failure;
  try {
    if (state_ == State::running) read_rest(items);
  } catch (...) {
    failure = error_of_current_exception();
  }
  finish(std::move(items), std::move(failure));
}

void CaptureLoop::finish(std::vector<StreamItem> items, std::optional<EventError> failure) {
  timer_->cancel();
  const double drift = source_->drift_ppm();
  roll_back();
  try {
    pipeline_->flush(vad::CloseReason::stop, items);
  } catch (...) {  // the detector is the user's own
    if (!failure) failure = error_of_current_exception();
    pipeline_->close(vad::CloseReason::stop, items);
  }
  items.emplace_back(Closed{.now = pipeline_->now(),
                            .captured = pipeline_->captured(),
                            .drift_ppm = drift,
                            .failure = std::move(failure),
                            .peak_dbfs = pipeline_->peak_dbfs()});
  send(std::move(items));
  sink_ = nullptr;  // it holds the session, which holds us
}

void CaptureLoop::roll_back() noexcept {
  if (state_ == State::opened || state_ == State::running || state_ == State::paused) source_->close();
  state_ = State::closed;
}

detail::Outcome CaptureLoop::pause() {
  if (state_ == State::paused) return {};
  if (state_ != State::running) return {make_error_code(Errc::invalid_state), "Only a running recording can pause."};
  std::vector<StreamItem> items;
  try {
    read_rest(items);
    pipeline_->flush(vad::CloseReason::pause, items);
  } catch (...) {
    finish(std::move(items), error_of_current_exception());
    return outcome_of_current_exception();
  }
  timer_->cancel();
  paused_at_ = clock_->steady_now();  // before a close that may take a while
  source_->close();
  state_ = State::paused;
  items.emplace_back(Paused{pipeline_->now()});
  send(std::move(items));
  return {};
}

detail::Outcome CaptureLoop::resume() {
  if (state_ == State::running) return {};
  if (state_ != State::paused) return {make_error_code(Errc::invalid_state), "Only a paused recording can resume."};
  try {
    const AudioFormat format = source_->open();
    if (format != format_) {
      source_->close();
      throw RecorderError(Errc::device_lost,
                          source_->description() + " came back in another format: stop, and start anew.");
    }
  } catch (...) {
    return outcome_of_current_exception();  // still paused: resume may be tried again
  }
  std::vector<StreamItem> items;
  if (source_->pace().count() > 0) {
    const std::chrono::duration<double> paused = clock_->steady_now() - paused_at_;
    pipeline_->insert_gap(std::llround(paused.count() * format_.sample_rate), GapReason::paused, items);
  }
  state_ = State::running;
  items.emplace_back(Resumed{pipeline_->now()});
  send(std::move(items));
  schedule(std::chrono::milliseconds(0));
  return {};
}

void CaptureLoop::send(std::vector<StreamItem> items) {
  held_back_.insert(held_back_.end(), std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
  if (held_back_.empty()) return;
  const bool can_wait =
      std::ranges::all_of(held_back_, [](const StreamItem& item) { return std::holds_alternative<Progress>(item); });
  const double interval = pipeline_->is_segment_open() ? kProgressSec : kQuietProgressSec;
  if (can_wait && static_cast<double>(pipeline_->now() - sent_until_) < interval * format_.sample_rate) return;
  sent_until_ = pipeline_->now();
  sink_(std::exchange(held_back_, {}));
}

}  // namespace dictum::pipeline
