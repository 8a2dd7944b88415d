#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum::journal {

/// How far a segment has come. `recording`: its file is not complete yet. `skipped`: kept, and transcription is off.
enum class SegmentStatus { recording, queued, done, failed, skipped, discarded };

std::string_view to_string(SegmentStatus status) noexcept;
std::optional<SegmentStatus> segment_status(std::string_view name) noexcept;

struct Segment {
  std::uint32_t index{};
  Frame start_frame{};  ///< of the kept audio
  Frame end_frame{};    ///< of the kept audio, exclusive
  Frame speech_start_frame{};
  Frame speech_end_frame{};
  VADMode mode{};
  SegmentStatus status{};
  std::string text;                 ///< of the newest revision that has one
  int revision = -1;                ///< of `text` or `error`; -1 before the first
  std::optional<EventError> error;  ///< why there is no text
  int revisions = 0;                ///< results so far, failed ones too: the number of the next one
  bool edited = false;              ///< a person wrote `text`
  std::string engine;               ///< what made the text; empty where it does not say, as the next two
  std::string model;
  std::string language;
  bool operator==(const Segment&) const = default;

  bool is_kept() const { return status != SegmentStatus::discarded; }
  /// No result is expected, unless another revision is asked for.
  bool is_settled() const { return status != SegmentStatus::recording && status != SegmentStatus::queued; }
  bool has_text() const { return status == SegmentStatus::done; }
};

struct Gap {
  Frame start_frame{};
  Frame frames{};
  GapReason reason{};
  bool operator==(const Gap&) const = default;
};

struct Note {
  std::string title;
  std::string path;  ///< as in the events: relative to the session in the journal
  std::vector<std::uint32_t> segments;
  bool operator==(const Note&) const = default;
};

/// What a journal says of its session: the one fold of events. The writer, the recovery, the manifest, the exports and
/// the library take the state of a session from here, live and from the disk.
///
/// Thread safety: a value. Errors: none; an event that does not fit (of a damaged journal) changes nothing.
struct SessionState {
  /// Given before the first event: without transcription a kept segment is `skipped`.
  bool transcribes{};

  // What a manifest stores.
  std::optional<std::chrono::system_clock::time_point> stopped_at{};  ///< when `idle` or `failed` was published
  VADMode mode{};                                                     ///< of the next segment
  std::vector<Gap> gaps{};
  std::deque<Segment> segments{};  ///< in order of their indexes, discarded ones too
  std::vector<Note> notes{};       ///< completed ones, in their newest revision
  std::string language{};          ///< that was decided; empty where none was

  /// What only the journal says; a manifest read from the disk has none of it.
  struct Position {
    std::uint64_t next_sequence = 0;
    Frame last_frame = 0;           ///< the greatest of all events
    Frame paused_frames = 0;        ///< of all pauses: the clock of notes stands still meanwhile
    bool has_ended = false;         ///< the newest state is `idle` or `failed`
    bool has_revised_text = false;  ///< a later revision of a text succeeded: notes may have to follow it
    std::size_t note_events = 0;    ///< that the note dialogue caused, revisions of notes left out
    std::set<std::uint32_t> open_segments;
  };
  Position position{};

  /// Takes the next event of the journal. True where a TranscriptionComplete became the text, or the error, that its
  /// segment has now.
  bool apply(const Event& event);

  const Segment* find(std::uint32_t index) const;
  Frame gap_frames() const;

  /// The end of the last thing that the journal knows of.
  Frame end_frame() const;

  /// Equal where their manifests say the same; the position does not count.
  bool operator==(const SessionState& other) const;

 private:
  Segment* segment_at(std::uint32_t index);
  void add_segment(std::uint32_t index, Frame start_frame, Frame speech_start_frame);
  void note_position(const Event& event);
  bool apply_result(const TranscriptionComplete& complete);
};

}  // namespace dictum::journal
