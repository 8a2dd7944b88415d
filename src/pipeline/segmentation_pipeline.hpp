#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audio/channel_mixer.hpp"
#include "audio/level_meter.hpp"
#include "audio/resampler.hpp"
#include "dictum/config.hpp"
#include "dictum/vad.hpp"
#include "pipeline/stream_item.hpp"
#include "vad/segmenter.hpp"

namespace dictum::pipeline {

vad::SegmenterSettings segmenter_settings(const RecorderConfig::VAD& vad, int sample_rate);

/// Turns captured audio into segments: channels to mono, mono to 16 kHz, 16 kHz to probabilities, probabilities to
/// segments with their audio. The same audio gives the same items, whatever the size of the blocks.
///
/// Threads: lives on the `listen` strand, one call at a time; has no thread, clock or file. Owner: the capture loop.
/// Throws only what the detector throws.
class SegmentationPipeline {
 public:
  /// Throws RecorderError(invalid_argument) where the configuration picks a channel that the format does not have.
  SegmentationPipeline(const RecorderConfig& config, AudioFormat format,
                       std::unique_ptr<VoiceActivityDetector> detector);

  /// Processes interleaved samples that follow those of the call before.
  void process(std::span<const float> interleaved, std::vector<StreamItem>& out);

  /// This many frames were missed. A gap shorter than the silence that ends a segment is processed as zeros; a longer
  /// one closes the segment and starts the detector afresh.
  void insert_gap(Frame frames, GapReason reason, std::vector<StreamItem>& out);

  /// Runs the detector on what the resampler still holds and closes an open segment here.
  void flush(vad::CloseReason reason, std::vector<StreamItem>& out);

  /// Closes an open segment here without running the detector: for one that has failed.
  void close(vad::CloseReason reason, std::vector<StreamItem>& out);

  void set_min_silence_ms(int ms) { segmenter_.set_min_silence_ms(ms); }

  /// While muted, silence replaces the samples; the clock goes on.
  void set_muted(bool muted) { muted_ = muted; }

  /// The end of what was processed, on the session's clock.
  Frame now() const { return now_; }

  bool is_segment_open() const { return segment_open_; }

  /// How long there has been no speech, in frames: since the last window of speech, or since the start.
  Frame silence() const { return now_ - speech_end_; }

  /// The length of a window in frames, rounded down. A decision that is made at its multiples only does not depend on
  /// the size of the blocks.
  Frame window_frames() const { return window_frames_; }

  /// Frames captured: `now()` less the gaps.
  Frame captured() const { return captured_; }

  /// Of the loudest sample so far; -120 where there was none above that.
  double peak_dbfs() const;

 private:
  void process_mono(std::span<const float> mono, std::vector<StreamItem>& out);
  void run_detector(std::vector<StreamItem>& out);
  void apply(const vad::Decision& decision, std::vector<StreamItem>& out);
  void follow_pause(Frame window_end, std::vector<StreamItem>& out);
  void send_audio_until(Frame end, std::vector<StreamItem>& out);
  void forget_old_audio();
  void restart();
  void meter(std::span<const float> mono, std::vector<StreamItem>& out);

  const int sample_rate_;
  const int channels_;
  const Frame window_frames_;
  const float threshold_;
  const bool keep_all_;
  audio::ChannelMixer mixer_;
  audio::Resampler resampler_;
  std::unique_ptr<VoiceActivityDetector> detector_;
  vad::Segmenter segmenter_;

  Frame now_ = 0;
  Frame captured_ = 0;
  Frame speech_end_ = 0;  // of the last window of speech
  bool muted_ = false;
  bool has_reported_cancelling_ = false;

  // 16 kHz samples that do not fill a window yet, and which window they belong to.
  std::vector<float> pending_;
  Frame origin_ = 0;         // where the grid of windows begins: 0, or the end of the last gap that closed a segment
  std::int64_t window_ = 0;  // the next one for the detector, counted from origin_
  float last_probability_ = 0;

  // Captured audio that a segment may still need: its first sample is frame history_start_.
  std::vector<std::int16_t> history_;
  Frame history_start_ = 0;
  bool segment_open_ = false;
  std::uint32_t segment_ = 0;
  Frame kept_start_ = 0;
  Frame sent_until_ = 0;
  std::optional<Frame> paused_at_;  // where the silence of the newest SpeechPaused began, until it is over

  float peak_ = 0;              // of everything so far
  const Frame level_interval_;  // 0: no levels
  Frame level_frames_ = 0;      // in the meter
  audio::LevelMeter meter_;

  std::vector<float> mono_;
  std::vector<vad::Decision> decisions_;
};

}  // namespace dictum::pipeline
