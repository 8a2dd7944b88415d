#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "capture/device_clock.hpp"
#include "dictum/event.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// How much audio a device is asked to deliver at once. Each delivery wakes two threads, all day. Where the audio
/// belongs on the timeline does not depend on it; a stop may come this much before the last audio is delivered.
constexpr std::chrono::milliseconds kFragment{50};

/// Places what a device delivers on the timeline: deliveries in, frames and gaps out.
///
/// The timeline follows the steady clock: frames delivered and gaps together are the time that has passed, once the
/// drift of the device is taken out. Late audio is late, not lost: a pause in the deliveries becomes a gap only of the
/// frames that never arrived, and frames that were counted as dropped are never counted again. So audio after a
/// discontinuity is held back for a moment (0.3 s; 1 s after a stall), until the size of the gap is known.
///
/// Threads: one at a time. Owner: the microphone. A value: no I/O, no clock of its own; never fails.
class TimelineAligner {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Deliveries that are late by more than this may follow lost frames.
  static constexpr std::chrono::milliseconds kLate = kFragment + std::chrono::milliseconds(80);

  /// Begins a timeline at `opened`: earlier audio, from buffers of the driver, is left out. What is known of the drift
  /// is kept where the rate is the same.
  void start(AudioFormat format, TimePoint opened);

  /// Takes one delivery: `dropped` frames that are lost, then the samples. `discontinuity` is what the driver reported
  /// right before both.
  void push(TimePoint arrived, std::optional<GapReason> discontinuity, Frame dropped,
            std::span<const float> interleaved);

  /// The next delivery comes from another stream, and from `device` where that is another one.
  void begin_stream(GapReason discontinuity, std::optional<SourceDevice> device);

  /// The last delivery is the first one of another device.
  void set_last_device(SourceDevice device) { blocks_.back().device = std::move(device); }

  /// Hands out the next frames, up to the next event of the timeline. `expects_more` is false where no delivery is
  /// about to arrive, so that nothing is held back.
  Reading read(std::span<float> interleaved, bool expects_more);

  /// What is missing up to `now`, once no more audio is to be read; nothing where that may be mere jitter. `is_out`
  /// says that the device is known not to deliver.
  std::optional<SourceGap> close_gap(TimePoint now, bool is_out, GapReason reason);

  double drift_ppm() const { return clock_.drift_ppm(); }

 private:
  struct Block {
    TimePoint arrived;
    Frame dropped{};                         // lost before the frames
    Frame frames{};                          // in samples_
    std::optional<GapReason> discontinuity;  // before the dropped frames: the gap is still to be measured ...
    SourceGap gap;                           // ... and was measured
    std::optional<SourceDevice> device;      // the first block from it
  };

  // The blocks of one stream, up to the next discontinuity that was reported: frames that are late arrive after the
  // next stall at the latest, and frames that were lost never do. The lag of an arrival is its time less the length of
  // the audio up to it. Its least value is the same however much audio arrives at once.
  struct Backlog {
    double least_lag;  // seconds
    bool is_settled;   // late audio has arrived: the lag decreases no more
  };

  decltype(Reading::then) take_event();
  Frame take_frames(std::span<float> interleaved);
  SourceGap insert_gap(SourceGap gap);
  Backlog examine_backlog() const;
  bool measure_gap(bool expects_more);
  void skip(Frame frames);

  AudioFormat format_;
  TimePoint opened_;
  bool has_begun_ = false;  // it is known where the timeline begins
  Frame position_ = 0;      // of the next frame to hand out
  DeviceClock clock_;
  double behind_ = 0;  // seconds by which the timeline lags, too few for a gap; added to the next one
  std::optional<TimePoint> last_arrival_;
  std::optional<GapReason> next_discontinuity_;
  std::optional<SourceDevice> next_device_;
  std::deque<Block> blocks_;
  std::deque<float> samples_;
};

}  // namespace dictum::capture
