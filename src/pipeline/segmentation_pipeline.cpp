#include "pipeline/segmentation_pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "audio/pcm16.hpp"

namespace dictum::pipeline {
namespace {

constexpr std::size_t kSilenceChunk = 16384;  // frames of zeros at once, so that a long gap needs no long buffer

}  // namespace

vad::SegmenterSettings segmenter_settings(const RecorderConfig::VAD& vad, int sample_rate) {
  return {.sample_rate = sample_rate,
          .threshold = vad.threshold,
          .min_silence_ms = vad.mode == VADMode::normal ? vad.min_silence_ms : vad.long_note_silence_ms,
          .pre_roll_ms = vad.pre_roll_ms,
          .post_roll_ms = vad.post_roll_ms,
          .min_speech_ms = vad.min_speech_ms,
          .max_segment_sec = vad.max_segment_sec};
}

SegmentationPipeline::SegmentationPipeline(const RecorderConfig& config, AudioFormat format,
                                           std::unique_ptr<VoiceActivityDetector> detector)
    : sample_rate_(format.sample_rate),
      channels_(format.channels),
      window_frames_(std::max<Frame>(1, static_cast<Frame>(kVADWindow) * format.sample_rate / kVADSampleRate)),
      threshold_(static_cast<float>(config.vad.threshold)),
      keep_all_(config.session.keep_all),
      mixer_(format.channels, audio::parse_channel_choice(config.capture.channel, format.channels)),
      resampler_(format.sample_rate, kVADSampleRate),
      detector_(std::move(detector)),
      segmenter_(segmenter_settings(config.vad, format.sample_rate)),
      level_interval_(config.events.level_hz > 0
                          ? static_cast<Frame>(std::lround(format.sample_rate / std::min(config.events.level_hz, 20.0)))
                          : 0) {
  detector_->begin_at(origin_);
}

void SegmentationPipeline::process(std::span<const float> interleaved, std::vector<StreamItem>& out) {
  mono_.resize(interleaved.size() / static_cast<std::size_t>(channels_));
  if (muted_) {
    std::ranges::fill(mono_, 0.0F);
  } else {
    mixer_.mix(interleaved, mono_);
    if (mixer_.cancels() && !has_reported_cancelling_) {
      has_reported_cancelling_ = true;
      out.emplace_back(
          SourceFault{"channels_cancel",
                      "The channels cancel each other when they are averaged, so little is left to record: "
                      "pick one with --channel 0.",
                      true});
    }
  }
  captured_ += static_cast<Frame>(mono_.size());
  meter(mono_, out);
  process_mono(mono_, out);
}

void SegmentationPipeline::insert_gap(Frame frames, GapReason reason, std::vector<StreamItem>& out) {
  if (frames <= 0) return;
  const Frame start = now_;
  if (reason != GapReason::paused && segmenter_.bridges(frames)) {
    std::vector<float> zeros(std::min(kSilenceChunk, static_cast<std::size_t>(frames)), 0.0F);
    for (Frame left = frames; left > 0; left -= static_cast<Frame>(zeros.size())) {
      zeros.resize(std::min(zeros.size(), static_cast<std::size_t>(left)));
      process_mono(zeros, out);
    }
  } else {
    flush(vad::CloseReason::gap, out);
    if (keep_all_) out.emplace_back(TimelineAudio{{}, frames});
    now_ += frames;
    restart();
  }
  out.emplace_back(GapEnded{start, frames, reason});
  out.emplace_back(Progress{now_, captured_});
}

void SegmentationPipeline::flush(vad::CloseReason reason, std::vector<StreamItem>& out) {
  resampler_.flush(pending_);
  run_detector(out);
  close(reason, out);
  restart();
}

void SegmentationPipeline::close(vad::CloseReason reason, std::vector<StreamItem>& out) {
  decisions_.clear();
  segmenter_.close(now_, reason, decisions_);
  for (const auto& decision : decisions_) apply(decision, out);
  out.emplace_back(Progress{now_, captured_});
}

void SegmentationPipeline::process_mono(std::span<const float> mono, std::vector<StreamItem>& out) {
  const std::size_t before = history_.size();
  history_.resize(before + mono.size());
  audio::to_pcm16(mono, std::span(history_).subspan(before));
  now_ += static_cast<Frame>(mono.size());
  if (keep_all_) {
    out.emplace_back(TimelineAudio{{history_.begin() + static_cast<std::ptrdiff_t>(before), history_.end()}, 0});
  }

  resampler_.process(mono, pending_);
  run_detector(out);
  if (segment_open_) send_audio_until(now_, out);
  forget_old_audio();
}

void SegmentationPipeline::run_detector(std::vector<StreamItem>& out) {
  std::size_t taken = 0;
  Probabilities computed{origin_, {}};
  while (pending_.size() - taken >= kVADWindow) {
    const auto window = std::span<const float, kVADWindow>(pending_.data() + taken, kVADWindow);
    const Frame start = vad::window_start(origin_, window_, sample_rate_);
    const Frame end = std::min(now_, vad::window_start(origin_, window_ + 1, sample_rate_));
    const float energy = std::inner_product(window.begin(), window.end(), window.begin(), 0.0F);
    last_probability_ = detector_->probability(window);
    if (keep_all_) computed.values.push_back(last_probability_);
    if (last_probability_ >= threshold_) speech_end_ = end;

    decisions_.clear();
    segmenter_.window(start, end, last_probability_, energy, decisions_);
    for (const auto& decision : decisions_) apply(decision, out);
    follow_pause(end, out);
    out.emplace_back(Progress{end, end - (now_ - captured_)});
    taken += kVADWindow;
    ++window_;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (!computed.values.empty()) out.emplace_back(std::move(computed));
}

void SegmentationPipeline::apply(const vad::Decision& decision, std::vector<StreamItem>& out) {
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&decision)) {
    segment_open_ = true;
    segment_ = opened->index;
    kept_start_ = opened->kept_start;
    sent_until_ = opened->kept_start;
    out.emplace_back(*opened);
  } else {
    const auto& closed = std::get<vad::SegmentClosed>(decision);
    send_audio_until(closed.kept_end, out);
    segment_open_ = false;
    paused_at_.reset();
    out.emplace_back(closed);
  }
}

/// Reports once for each silence in a segment that what a recogniser gets is complete, and that speech goes on.
void SegmentationPipeline::follow_pause(Frame window_end, std::vector<StreamItem>& out) {
  const auto silence = segmenter_.silence_start();
  if (paused_at_ && silence != paused_at_) {
    paused_at_.reset();
    out.emplace_back(SpeechResumed{segment_});
  }
  if (!silence || paused_at_) return;
  const Frame audio_end = vad::recognised_end(*silence, sample_rate_);
  if (audio_end > window_end) return;
  paused_at_ = silence;
  send_audio_until(audio_end, out);
  out.emplace_back(SpeechPaused{segment_, kept_start_, audio_end});
}

void SegmentationPipeline::send_audio_until(Frame end, std::vector<StreamItem>& out) {
  if (end <= sent_until_) return;
  const auto at = [&](Frame frame) { return history_.begin() + static_cast<std::ptrdiff_t>(frame - history_start_); };
  out.emplace_back(SegmentAudio{segment_, {at(sent_until_), at(end)}});
  sent_until_ = end;
}

void SegmentationPipeline::forget_old_audio() {
  const Frame needed = std::min(segmenter_.earliest_needed(now_), segment_open_ ? sent_until_ : now_);
  const Frame old = needed - history_start_;
  if (old < 2 * sample_rate_) return;  // moving the rest down is paid once in two seconds of audio
  history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(old));
  history_start_ = needed;
}

void SegmentationPipeline::restart() {
  resampler_.reset();
  detector_->reset();
  segmenter_.restart(now_);
  pending_.clear();
  history_.clear();
  history_start_ = now_;
  origin_ = now_;
  detector_->begin_at(origin_);
  window_ = 0;
  last_probability_ = 0;
}

double SegmentationPipeline::peak_dbfs() const {
  return audio::dbfs(static_cast<double>(peak_));
}

void SegmentationPipeline::meter(std::span<const float> mono, std::vector<StreamItem>& out) {
  for (const float sample : mono) peak_ = std::max(peak_, std::abs(sample));
  if (level_interval_ == 0) return;
  for (std::size_t at = 0; at < mono.size();) {
    const auto count = std::min(mono.size() - at, static_cast<std::size_t>(level_interval_ - level_frames_));
    meter_.add(mono.subspan(at, count));
    at += count;
    level_frames_ += static_cast<Frame>(count);
    if (level_frames_ < level_interval_) break;
    level_frames_ = 0;
    const audio::Level level = meter_.take();
    out.emplace_back(Level{now_ + static_cast<Frame>(at),
                           {.rms_dbfs = level.rms_dbfs,
                            .peak_dbfs = level.peak_dbfs,
                            .speech_probability = static_cast<double>(last_probability_),
                            .silence_ms = segmenter_.silence_ms()}});
  }
}

}  // namespace dictum::pipeline
