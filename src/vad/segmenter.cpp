#include "vad/segmenter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/invariant.hpp"
#include "dictum/error.hpp"
#include "dictum/vad.hpp"

namespace dictum::vad {
namespace {

constexpr double kHysteresis = 0.15;
constexpr std::int64_t kWindowMs = 32;
static_assert(kVADWindow * 1000 == kWindowMs * kVADSampleRate);

constexpr std::int64_t kRecognisedWindows = kRecognisedSilence.count() / kWindowMs;
static_assert(kRecognisedWindows * kWindowMs == kRecognisedSilence.count());

constexpr int kSplitSearchMs = 5000;      // the end of a long segment, where its split is looked for
constexpr int kMinSpeechShareMs = 1000;   // what silence leaves of the longest segment
constexpr std::size_t kSplitWindows = 5;  // whose energy is compared; the split is where the middle one begins

std::int64_t windows_in(int milliseconds) {
  return (milliseconds + kWindowMs - 1) / kWindowMs;
}

}  // namespace

Frame window_start(Frame origin, std::int64_t window, int sample_rate) {
  constexpr std::int64_t divisor = std::gcd(static_cast<std::int64_t>(kVADWindow), std::int64_t{kVADSampleRate});
  constexpr std::int64_t samples = kVADWindow / divisor;
  constexpr std::int64_t rate = kVADSampleRate / divisor;
  return origin + window * samples * sample_rate / rate;
}

Frame recognised_end(Frame speech_end, int sample_rate) {
  return window_start(speech_end, kRecognisedWindows, sample_rate);
}

Segmenter::Segmenter(SegmenterSettings settings) : settings_(settings) {
  const bool sensible = settings.sample_rate > 0 && settings.threshold > kHysteresis && settings.threshold <= 1 &&
                        settings.min_silence_ms > 0 && settings.pre_roll_ms >= 0 && settings.post_roll_ms >= 0 &&
                        settings.min_speech_ms >= 0 &&
                        settings.max_segment_sec * 1000 >= kSplitSearchMs + kMinSpeechShareMs &&
                        settings.max_segment_sec <= 24 * 3600;
  if (!sensible) {
    throw RecorderError(Errc::invalid_argument,
                        "the segmenter's settings are out of range: times must not be negative, the threshold must "
                        "be above 0.15, and the longest segment at least 6 seconds");
  }
  max_segment_ = static_cast<Frame>(std::floor(settings.max_segment_sec * settings.sample_rate));
}

void Segmenter::window(Frame start, Frame end, float probability, float energy, std::vector<Decision>& out) {
  const bool speech = static_cast<double>(probability) >= settings_.threshold;
  // Written so that a probability that is not a number counts as silence.
  const bool silence = !(static_cast<double>(probability) >= settings_.threshold - kHysteresis);
  invariant(start >= last_window_end_ && end > start, "windows follow each other");
  last_window_end_ = end;

  if (!open_) {
    if (!speech) return;
    open_segment(start, out);
  }
  if (speech) {
    ++open_->speech_windows;
    open_->silent_windows = 0;
  } else if (open_->silent_windows > 0) {
    ++open_->silent_windows;
  } else if (silence) {
    open_->silent_windows = 1;
    open_->silence_start = start;
  }
  const bool counting = open_->silent_windows > 0;
  remember({start, end, static_cast<double>(energy), counting});

  if (!counting) {
    split_until(end, out);
  } else if (open_->silent_windows >= silence_windows()) {
    close_segment(open_->silence_start, end, CloseReason::silence, out);
  }
}

void Segmenter::close(Frame frame, CloseReason reason, std::vector<Decision>& out) {
  if (!open_) return;
  if (open_->silent_windows > 0) {
    close_segment(open_->silence_start, frame, reason, out);
    return;
  }
  const Frame speech_end = std::min(last_window_end_, frame);
  split_until(std::min(speech_end + post_roll(), frame), out);
  close_segment(speech_end, frame, reason, out);
}

void Segmenter::restart(Frame origin) {
  invariant(!open_, "no segment is open when the stream begins anew");
  barrier_ = std::max(barrier_, origin);
  last_window_end_ = std::max(last_window_end_, origin);
}

Frame Segmenter::earliest_needed(Frame now) const {
  const Frame next_pre_roll = last_window_end_ - frames(settings_.pre_roll_ms);
  const Frame earliest =
      open_ ? std::max(std::min(next_pre_roll, search_start()), open_->kept_start) : std::max(next_pre_roll, barrier_);
  return std::min(earliest, now);
}

bool Segmenter::bridges(Frame gap_frames) const {
  return gap_frames < frames(settings_.min_silence_ms);
}

void Segmenter::set_min_silence_ms(int min_silence_ms) {
  settings_.min_silence_ms = std::max(min_silence_ms, 1);
}

std::optional<Frame> Segmenter::silence_start() const {
  return open_ && open_->silent_windows > 0 ? std::optional(open_->silence_start) : std::nullopt;
}

double Segmenter::silence_ms() const {
  return open_ ? static_cast<double>(open_->silent_windows * kWindowMs) : 0;
}

void Segmenter::open_segment(Frame speech_start, std::vector<Decision>& out) {
  const Frame pre_roll = std::min(frames(settings_.pre_roll_ms), max_segment_ - frames(kMinSpeechShareMs));
  const Frame kept_start = std::min(std::max(speech_start - pre_roll, barrier_), speech_start);
  open_ = Open{.index = next_index_++,
               .kept_start = kept_start,
               .speech_start = speech_start,
               .first_speech = speech_start,
               .speech_windows = 0,
               .piece = false,
               .silent_windows = 0,
               .silence_start = 0};
  out.emplace_back(SegmentOpened{open_->index, speech_start, kept_start});
}

/// `last_frame` is the end of the audio that may be kept.
void Segmenter::close_segment(Frame speech_end, Frame last_frame, CloseReason reason, std::vector<Decision>& out) {
  const Frame kept_end = std::max(std::min({speech_end + post_roll(), last_frame, limit()}), open_->kept_start);
  invariant(open_->kept_start >= barrier_ || open_->piece, "segments do not overlap");
  invariant(kept_end - open_->kept_start <= max_segment_, "no segment is longer than the longest");
  const bool kept =
      reason != CloseReason::silence || open_->piece || open_->speech_windows >= windows_in(settings_.min_speech_ms);
  out.emplace_back(SegmentClosed{.index = open_->index,
                                 .kept_start = open_->kept_start,
                                 .kept_end = kept_end,
                                 .speech_start = open_->speech_start,
                                 .speech_end = std::min(std::max(speech_end, open_->speech_start), kept_end),
                                 .kept = kept,
                                 .reason = reason});
  barrier_ = kept_end;
  open_.reset();
  windows_.clear();
}

/// Splits until what is kept up to `end` is not too long.
void Segmenter::split_until(Frame end, std::vector<Decision>& out) {
  while (end > limit()) {
    const Frame split = quietest_split();
    invariant(split > open_->kept_start && split <= limit(), "a split lies within its segment");
    out.emplace_back(SegmentClosed{.index = open_->index,
                                   .kept_start = open_->kept_start,
                                   .kept_end = split,
                                   .speech_start = open_->speech_start,
                                   .speech_end = split,
                                   .kept = true,
                                   .reason = CloseReason::split});
    open_->index = next_index_++;
    open_->kept_start = split;
    open_->speech_start = split;
    open_->piece = true;
    const auto first = std::ranges::find_if(
        windows_, [split](const Window& window) { return window.start >= split && !window.silent; });
    open_->first_speech = first != windows_.end() ? first->start : split;
    barrier_ = split;
    out.emplace_back(SegmentOpened{open_->index, split, split});
    forget_before(search_start());
  }
}

void Segmenter::remember(const Window& window) {
  if (window.start < search_start()) return;
  Window copy = window;
  // Energy that is not a number attracts no split.
  if (!std::isfinite(copy.energy)) copy.energy = std::numeric_limits<float>::max();
  windows_.push_back(copy);
}

void Segmenter::forget_before(Frame frame) {
  std::erase_if(windows_, [frame](const Window& window) { return window.start < frame; });
}

/// Where the next split goes: behind the piece's first speech, so that none is without; at the limit itself where there
/// are no five windows to choose from.
Frame Segmenter::quietest_split() const {
  Frame split = limit();
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t first = 0; first + kSplitWindows <= windows_.size(); ++first) {
    const auto five = std::span(windows_).subspan(first, kSplitWindows);
    const Frame middle = five[kSplitWindows / 2].start;
    if (five.back().end > limit() || middle <= open_->first_speech) continue;
    const double energy = std::accumulate(five.begin(), five.end(), 0.0,
                                          [](double sum, const Window& window) { return sum + window.energy; });
    if (energy <= least) {
      least = energy;
      split = middle;
    }
  }
  return split;
}

Frame Segmenter::frames(int milliseconds) const {
  return static_cast<Frame>(milliseconds) * settings_.sample_rate / 1000;
}

Frame Segmenter::search_start() const {
  return limit() - frames(kSplitSearchMs);
}

Frame Segmenter::post_roll() const {
  return frames(std::min(settings_.post_roll_ms, settings_.min_silence_ms));
}

std::int64_t Segmenter::silence_windows() const {
  const auto longest = static_cast<int>(settings_.max_segment_sec * 1000) - kMinSpeechShareMs;
  return std::min(windows_in(settings_.min_silence_ms), longest / kWindowMs);
}

}  // namespace dictum::vad
