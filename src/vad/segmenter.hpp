#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "dictum/frame.hpp"

namespace dictum::vad {

/// The first frame of a detector window, where window 0 begins at `origin` and frames are counted at `sample_rate`.
Frame window_start(Frame origin, std::int64_t window, int sample_rate);

/// Silence behind the speech of a segment that a recogniser gets: 8 windows, which pass before anybody knows that the
/// segment has ended.
inline constexpr std::chrono::milliseconds kRecognisedSilence{256};

/// Where the audio ends that a recogniser gets of a segment: `kRecognisedSilence` after its speech. Its kept end limits
/// it.
Frame recognised_end(Frame speech_end, int sample_rate);

struct SegmenterSettings {
  int sample_rate{};     ///< of capture: what a Frame counts
  double threshold{};    ///< speech at or above; silence below threshold - 0.15
  int min_silence_ms{};  ///< silence that ends a segment
  int pre_roll_ms{};     ///< kept before the first speech window
  int post_roll_ms{};    ///< kept after the last one, cut to min_silence_ms
  int min_speech_ms{};   ///< a segment with less speech is not kept
  double max_segment_sec{};
};

enum class CloseReason { silence, split, gap, pause, stop };

struct SegmentOpened {
  std::uint32_t index{};
  Frame speech_start{};
  Frame kept_start{};
  bool operator==(const SegmentOpened&) const = default;
};

struct SegmentClosed {
  std::uint32_t index{};
  Frame kept_start{};
  Frame kept_end{};  ///< exclusive, as speech_end is
  Frame speech_start{};
  Frame speech_end{};
  bool kept{};
  CloseReason reason{};
  bool operator==(const SegmentClosed&) const = default;
};

using Decision = std::variant<SegmentOpened, SegmentClosed>;

/// Turns speech probabilities into segments: where speech begins and ends, what is kept around it, and where a segment
/// that grows too long is split. Its only inputs are frames and probabilities, so the same windows give the same
/// segments.
///
/// A countdown of silence never outlasts the longest segment, less a second, and a pre-roll is no longer than that
/// either: so each piece of a split has speech in it and none is too long.
///
/// Threads: one at a time, any; `const` calls must not run beside the others. Owner: one recording. Construction throws
/// RecorderError(invalid_argument) for settings that make no sense; nothing else fails, but with BrokenInvariant.
class Segmenter {
 public:
  explicit Segmenter(SegmenterSettings settings);

  /// One detector window, which covers the frames [start, end) and follows the one before it; `energy` is the sum of
  /// the squares of its samples. Appends what it decided to `out`.
  void window(Frame start, Frame end, float probability, float energy, std::vector<Decision>& out);

  /// Closes the open segment, if there is one, at `frame`: nothing captured from there on belongs to it. `reason` is
  /// gap, pause or stop; the segment is kept, however short its speech.
  void close(Frame frame, CloseReason reason, std::vector<Decision>& out);

  /// The stream begins anew at `origin`, the first frame after a pause or a gap that was not bridged: no pre-roll
  /// reaches back over it. The open segment, if there is one, must have been closed.
  void restart(Frame origin);

  /// The earliest frame that a later decision can still refer to: the pre-roll of the next segment, or a split of the
  /// open one. `now` is the end of the captured audio.
  Frame earliest_needed(Frame now) const;

  /// Whether a gap of this length is written as zeros; otherwise it closes the segment.
  bool bridges(Frame gap_frames) const;

  /// Moves this one number, from the next window on; a running countdown goes on.
  void set_min_silence_ms(int min_silence_ms);

  bool in_segment() const { return open_.has_value(); }
  std::uint32_t next_index() const { return next_index_; }

  /// Where the running countdown to the end of the segment began: there its speech ends unless it goes on.
  std::optional<Frame> silence_start() const;

  /// How long the countdown to the end of the segment has run; 0 while there is speech or no segment.
  double silence_ms() const;

 private:
  struct Open {
    std::uint32_t index;
    Frame kept_start;
    Frame speech_start;
    Frame first_speech;           ///< start of the first window of this piece that is not silent
    std::int64_t speech_windows;  ///< at or above the threshold
    bool piece;                   ///< of a split
    std::int64_t silent_windows;  ///< of the running countdown, 0 where none runs
    Frame silence_start;
  };
  struct Window {
    Frame start;
    Frame end;
    double energy;
    bool silent;  ///< part of a countdown, also of one that was cancelled
  };

  void open_segment(Frame speech_start, std::vector<Decision>& out);
  void close_segment(Frame speech_end, Frame last_frame, CloseReason reason, std::vector<Decision>& out);
  void split_until(Frame end, std::vector<Decision>& out);
  void remember(const Window& window);
  void forget_before(Frame frame);
  Frame quietest_split() const;

  Frame frames(int milliseconds) const;
  Frame limit() const { return open_->kept_start + max_segment_; }
  Frame search_start() const;
  Frame post_roll() const;
  std::int64_t silence_windows() const;

  SegmenterSettings settings_;
  Frame max_segment_;
  std::optional<Open> open_;
  std::vector<Window> windows_;  ///< of the open segment, where it may still be split
  std::uint32_t next_index_ = 0;
  Frame barrier_ = 0;  ///< no kept audio begins before this
  Frame last_window_end_ = 0;
};

}  // namespace dictum::vad
