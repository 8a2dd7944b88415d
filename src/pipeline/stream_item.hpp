#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"
#include "dictum/source.hpp"
#include "vad/segmenter.hpp"

/// What the pipeline reports, in the order of the timeline. The same items pass from `listen` over `disk` (which writes
/// what is to be written) to `loop` (where the core makes events of them), so nothing is reported before it is safe.
namespace dictum::pipeline {

/// Audio of an open segment, following what was sent of it before.
struct SegmentAudio {
  std::uint32_t index{};
  std::vector<std::int16_t> samples;
};

/// The open segment has ended unless speech goes on, and what a recogniser gets of it is complete: the frames from
/// `kept_start` to `audio_end`.
struct SpeechPaused {
  std::uint32_t index{};
  Frame kept_start{};
  Frame audio_end{};
};

/// It goes on.
struct SpeechResumed {
  std::uint32_t index{};
};

/// The whole timeline, where all of it is kept: samples, then this many frames that were missed.
struct TimelineAudio {
  std::vector<std::int16_t> samples;
  Frame silence{};
};

/// What the detector said of the next windows, where all is kept; it began afresh at `start_frame`.
struct Probabilities {
  Frame start_frame{};
  std::vector<float> values;
};

/// Everything before `now` has been through the detector; `captured` of its frames were recorded, the others were gaps.
struct Progress {
  Frame now{};
  Frame captured{};
};

struct GapEnded {
  Frame start_frame{};
  Frame frames{};
  GapReason reason{};
};

struct Level {
  Frame now{};
  AudioLevel level;
};

/// The source has nothing more; what is still open is closed by the items that follow.
struct EndReached {
  Frame now{};
};

struct Paused {
  Frame now{};
};

struct Resumed {
  Frame now{};
};

/// Capture is over; nothing follows.
struct Closed {
  Frame now{};
  Frame captured{};
  double drift_ppm{};
  std::optional<EventError> failure{};  // why it is over, where no stop was requested
  double peak_dbfs = -120;              // of the loudest sample
};

using StreamItem = std::variant<vad::SegmentOpened, SegmentAudio, SpeechPaused, SpeechResumed, vad::SegmentClosed,
                                TimelineAudio, Probabilities, Progress, GapEnded, Level, SourceDevice, SourceFault,
                                EndReached, Paused, Resumed, Closed>;

}  // namespace dictum::pipeline
