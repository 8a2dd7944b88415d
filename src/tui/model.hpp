#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dictum/event.hpp"

/// What there is to show, as values. No threads, no files, no terminal.
namespace dictum::tui {

/// Seconds since the Unix epoch, as events carry them.
using Seconds = double;

/// A segment in the transcript: from "listening..." to its text.
struct Line {
  enum class State {
    listening,  ///< somebody speaks
    recorded,   ///< said, and not queued: transcription is off, or the file is not complete yet
    waiting,    ///< queued; `text` is what is known meanwhile
    done,
    failed,     ///< `text` is why
    discarded,  ///< too short to be kept
  };

  std::string session;
  std::uint32_t index{};
  State state{};
  Seconds began{};
  Seconds ended{};  ///< 0 while it goes on
  std::string text;
  std::size_t stable_bytes{};  ///< of an interim `text`: what will hardly change any more
  Seconds latency{};           ///< from the end of the speech to its text
  bool suspect{};
  int revision{};
  std::optional<NoteCommand> command;

  bool operator==(const Line&) const = default;
};

struct Level {
  double rms_dbfs{};
  double peak_dbfs{};
  double speech_probability{};
  bool operator==(const Level&) const = default;
};

struct Worker {
  WorkerState state{};
  std::string reason;
  bool operator==(const Worker&) const = default;
};

/// A note that is being dictated.
struct OpenNote {
  std::uint32_t from_segment{};  ///< its title's; the body is what follows
  std::optional<std::string> title;
  bool operator==(const OpenNote&) const = default;
};

struct Note {
  std::string title;
  std::string text;
  bool cancelled{};
  bool operator==(const Note&) const = default;
};

enum class Weight { information, warning, failure };

/// Something that happened and that nobody asked for.
struct Notice {
  Weight weight{};
  Seconds at{};
  std::string text;
  int times = 1;  ///< that it was reported in a row
  bool operator==(const Notice&) const = default;
};

/// A microphone to choose.
struct Device {
  std::string id;
  std::string name;
  std::string description;
  bool is_default{};
  bool operator==(const Device&) const = default;
};

/// A recorded session, as the browser lists it.
struct SessionEntry {
  std::filesystem::path path;
  std::string name;
  std::optional<Seconds> started_at;
  Seconds duration{};
  std::size_t segments{};
  std::size_t notes{};
  std::string first_text;
  std::string problem;
  bool is_open{};
  bool operator==(const SessionEntry&) const = default;
};

/// A segment of a recorded session: to read, and to play from.
struct Passage {
  enum class State { done, awaited, failed };
  std::uint32_t segment{};
  Seconds position{};  ///< of its speech in the session
  std::string text;    ///< or why there is none
  State state{};
  std::string note;    ///< the title of the note whose body it belongs to
  bool begins_note{};  ///< it is the first of that body
  bool is_edited{};    ///< a person wrote `text`
  bool operator==(const Passage&) const = default;
};

/// The session that is being read.
struct OpenSession {
  std::filesystem::path path;
  std::string name;
  std::vector<Passage> passages;
  bool operator==(const OpenSession&) const = default;
};

/// A note of any session, as the page of notes lists it.
struct StoredNote {
  std::filesystem::path session;
  std::uint32_t segment{};  ///< the first of its body, to play from
  Seconds said_at{};
  std::string title;
  std::string text;
  bool operator==(const StoredNote&) const = default;
};

/// Something to say, and what it does.
struct SpokenCommand {
  std::string phrase;
  std::string help;
  bool operator==(const SpokenCommand&) const = default;
};

/// Something that a search found.
struct Hit {
  struct Mark {  ///< bytes of `text`
    std::size_t begin{};
    std::size_t size{};
    bool operator==(const Mark&) const = default;
  };
  std::filesystem::path session;
  std::uint32_t segment{};
  Seconds position{};
  Seconds said_at{};
  std::string text;
  std::string note_title;
  std::vector<Mark> marks;
  bool operator==(const Hit&) const = default;
};

/// A session that is being transcribed again.
struct Transcribing {
  std::filesystem::path session;
  std::size_t texts{};  ///< that have come so far
  bool operator==(const Transcribing&) const = default;
};

/// What is being played.
struct Playing {
  std::filesystem::path session;
  std::uint32_t segment{};
  Seconds position{};
  std::string text;
  bool operator==(const Playing&) const = default;
};

/// Everything that the screen shows of the recorder and of what was recorded: a fold over events and answers.
struct Model {
  static constexpr std::size_t kMaxLevels = 512;  ///< a column each, on the widest terminal
  static constexpr std::size_t kMaxNotices = 100;

  Seconds now{};         ///< of the newest event or tick
  int utc_offset_sec{};  ///< of the times of day on the screen

  RecordingState state = RecordingState::idle;
  bool muted{};
  std::string session;
  Seconds recorded{};                                           ///< by the last pause
  Seconds running_since{};                                      ///< 0 where nothing is being recorded
  std::string device;                                           ///< as it was chosen or reported; empty: the default
  std::string privacy = "What you say stays on this machine.";  ///< where speech goes to be transcribed, a sentence
  std::string transcriber;                                      ///< as it is configured, with its model

  VADMode mode{};
  int min_silence_ms = 800;
  double silence_ms{};
  std::deque<Level> levels;  ///< the newest last

  std::vector<std::shared_ptr<const Line>> lines;  ///< of every session since the program began
  std::size_t queued{};
  Seconds oldest_queued{};
  std::map<std::string, Worker> workers;
  std::string engine;    ///< of the newest text; empty before it
  std::string model;     ///< likewise; empty where the engine names none
  std::string language;  ///< of the session once it was decided, else of its first text; BCP 47
  std::size_t gaps{};
  std::size_t faults{};

  std::optional<OpenNote> open_note;
  std::vector<Note> notes;
  std::vector<Notice> notices;
  std::vector<SpokenCommand> spoken;  ///< as they are configured; the one that begins a note first

  // What the library of sessions and the sound system answered.
  std::optional<std::vector<Device>> devices;         ///< empty: not known yet
  std::optional<std::vector<SessionEntry>> sessions;  ///< the newest first
  std::optional<OpenSession> open_session;
  std::optional<std::vector<StoredNote>> stored_notes;  ///< the newest first
  std::optional<std::vector<Hit>> hits;
  std::optional<Playing> playing;
  std::optional<Transcribing> transcribing;

  bool is_recording() const { return state != RecordingState::idle && state != RecordingState::failed; }
  Seconds elapsed() const { return recorded + (running_since > 0 ? now - running_since : 0); }
  /// Segments that have no text yet, and will.
  std::size_t waiting() const;
  std::size_t failed() const;
  /// The body of the open note as far as it is known.
  std::string open_note_text() const;
  const SessionEntry* find_session(const std::filesystem::path& path) const;
};

}  // namespace dictum::tui
