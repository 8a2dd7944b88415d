#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum::session {

/// How far a segment has come. `recording`: its file is not complete yet. `skipped`: kept, and transcription is off.
enum class SegmentStatus { recording, queued, done, failed, skipped, discarded };

std::string_view to_string(SegmentStatus status) noexcept;

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
  std::string engine;               ///< what made the text; empty where it does not tell, as the next two
  std::string model;
  std::string language;
  bool operator==(const Segment&) const = default;

  bool is_kept() const { return status != SegmentStatus::discarded; }
  /// Nothing more is to come, unless somebody asks for another revision.
  bool is_settled() const { return status != SegmentStatus::recording && status != SegmentStatus::queued; }
};

struct Gap {
  Frame start_frame{};
  Frame frames{};
  GapReason reason{};
  bool operator==(const Gap&) const = default;
};

struct Note {
  std::string title;
  std::string path;  ///< relative to the session
  std::vector<std::uint32_t> segments;
  bool operator==(const Note&) const = default;
};

/// A session in short: a value. What `apply` changes is a pure fold over the journal's events, so it can always be made
/// again from there; the rest is set once, or by the recording as it goes on. The recording sees to it that
/// end_frame = frames + the frames of all gaps.
struct Manifest {
  static constexpr int kSchema = 1;

  std::string session;
  std::chrono::system_clock::time_point started_at;  ///< whole milliseconds
  int sample_rate{};
  std::string source;
  boost::json::object config;
  bool transcribes{};
  bool keep_all{};

  Frame frames{};     ///< captured
  Frame end_frame{};  ///< frames and gaps
  double drift_ppm{};

  // The fold.
  std::optional<std::chrono::system_clock::time_point> stopped_at;  ///< when `idle` or `failed` was told
  VADMode mode{};                                                   ///< of the next segment
  std::vector<Gap> gaps;
  std::deque<Segment> segments;  ///< in order of their indexes, discarded ones too
  std::vector<Note> notes;       ///< completed ones

  bool operator==(const Manifest&) const = default;

  /// Takes the next event of the journal. One that does not fit (of a damaged journal) changes nothing.
  void apply(const Event& event);

  /// The manifest with the fold empty: where a journal is to be folded again.
  Manifest unfolded() const;

  const Segment* find(std::uint32_t index) const;
  Frame gap_frames() const;
  double seconds(Frame frames_on_clock) const { return static_cast<double>(frames_on_clock) / sample_rate; }
  /// The time of day of a frame, to the millisecond; within a lifetime of the start, whatever the frame.
  std::chrono::system_clock::time_point time_of_frame(Frame frame) const;

 private:
  Segment* segment_at(std::uint32_t index);
};

boost::json::object to_json(const Manifest& manifest);

/// The same as a text for people and programs: a line for every gap, segment and note.
std::string to_text(const Manifest& manifest);

/// Reads the text of a manifest, which may be anything. Throws RecorderError(session_unreadable), naming what is wrong,
/// and saying so where it was made by a newer version.
Manifest parse_manifest(std::string_view text);

/// Reads the manifest of the session in that folder. Throws as above.
Manifest read_manifest(const std::filesystem::path& session);

/// Replaces it in one step, in constant memory however long the session. Throws RecorderError, disk_full or
/// output_unwritable.
void write_manifest(const std::filesystem::path& session, const Manifest& manifest);

}  // namespace dictum::session
