#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "dictum/export.hpp"
#include "dictum/frame.hpp"

/// The sessions on disk: what was recorded, to be listed, searched, read, exported, corrected and deleted.
///
/// A session is a folder below a root (by default `default_session_root()`), named by its start in UTC. Every function
/// here goes by a session's folder or by a root; none needs a recorder.
///
/// Errors: every function throws RecorderError. Common to all: `session_unreadable` for files that are damaged, foreign
/// or of a newer version, `input_not_found` for a folder that is not there. Further ones are named at the function.
///
/// Thread safety: every function may be called from any thread, from several at once, and while other processes record
/// or change sessions. They block on files; none belongs on an event loop. The shapes are values.
///
/// Lifetimes: no argument is kept after the call returns. Paths in the results are absolute.
namespace dictum {

/// How far a kept segment has come. `recording`: its audio is not complete. `skipped`: transcription was off.
enum class SegmentState { recording, queued, done, failed, skipped };
DICTUM_API std::string_view to_string(SegmentState state) noexcept;

/// A piece of speech that was kept.
struct TranscriptSegment {
  std::uint32_t index{};  ///< with gaps where a segment was not kept
  std::filesystem::path audio;
  Frame start_frame{};  ///< of the kept audio
  Frame end_frame{};    ///< exclusive
  Frame speech_start_frame{};
  Frame speech_end_frame{};
  VADMode mode{};
  SegmentState state{};
  std::string text;                 ///< of the newest revision that has one
  std::vector<Word> words;          ///< with their times; empty where the engine gave none
  int revision = -1;                ///< of `text`; 0 is the first, -1 before it
  bool edited = false;              ///< a person wrote `text`
  std::optional<EventError> error;  ///< why there is no text
};

/// A note that was made by voice, and completed.
struct SessionNote {
  std::string title;
  std::string text;                     ///< of its segments, as they are now
  std::filesystem::path file;           ///< Markdown
  std::vector<std::uint32_t> segments;  ///< of the body
  std::chrono::system_clock::time_point said_at;
};

/// A session in a list.
struct SessionEntry {
  std::filesystem::path path;
  std::string name;
  std::optional<std::chrono::system_clock::time_point> started_at;  ///< empty where nothing says it
  double duration_sec{};                                            ///< gaps included
  std::size_t segments{};                                           ///< kept ones
  std::size_t notes{};
  std::string first_text;    ///< the first note's title, or else the first text; on one line
  bool is_open = false;      ///< a process is recording it, or working on it
  bool is_finished = false;  ///< stopped, and no text is outstanding
  bool is_readable = false;  ///< the numbers, the text and the flags above are known
  std::string problem;       ///< why it cannot be read, or what is missing; empty where all is well
};

/// A session, read as a whole.
struct SessionTranscript {
  std::filesystem::path path;
  std::string name;
  std::chrono::system_clock::time_point started_at;
  std::optional<std::chrono::system_clock::time_point> stopped_at;  ///< empty while recording, and after a crash
  int sample_rate{};                                                ///< frames a second
  Frame end_frame{};                                                ///< its length, gaps included
  std::string source;
  bool transcribes{};                       ///< it was recorded with a transcriber
  std::vector<TranscriptSegment> segments;  ///< in order of speech
  std::vector<SessionNote> notes;

  double seconds(Frame frame) const { return static_cast<double>(frame) / sample_rate; }

  /// The kept segment with that index. Errors: `input_not_found`.
  DICTUM_API const TranscriptSegment& segment(std::uint32_t index) const;
};

/// A session that is not finished: interrupted, or with texts that are still to come.
struct UnfinishedSession {
  std::filesystem::path path;
  std::string reason;      ///< for people: "it was interrupted", "2 segments wait for their text"
  bool is_private = true;  ///< the folder is this user's and nobody else can write to it; else resume only when asked
};

/// Which sessions `prune_sessions` deletes.
struct PruneRule {
  std::chrono::system_clock::time_point before;  ///< sessions that began earlier
  bool keep_notes = true;                        ///< those with a completed note stay, whole
  bool dry_run = false;                          ///< only lists what would be deleted
  std::function<bool()> goes_on = {};            ///< asked before each session; false ends it. Empty: to the end
};

struct Pruned {
  struct Left {
    std::filesystem::path session;
    std::string reason;
  };
  std::vector<std::filesystem::path> removed;  ///< or, in a dry run, to be removed
  std::uintmax_t bytes = 0;                    ///< of them
  std::vector<Left> left;                      ///< old enough, and left all the same
};

/// Something in a session that is not as it should be.
struct SessionProblem {
  std::string file;              ///< relative to the session: "events.jsonl", "seg_0003.wav", "../index.sqlite"
  std::string what;              ///< for people; one sentence
  bool can_be_repaired = false;  ///< `repair_session` makes the file again, from the journal and the sound
};

/// What verifying a session, or repairing it, found.
struct SessionCheck {
  std::filesystem::path path;
  std::string name;
  bool is_open = false;      ///< a process is working on it: what it writes later is not expected
  bool is_finished = false;  ///< stopped, and no text is outstanding; else `dictum resume` finishes it
  std::vector<SessionProblem> problems;
  std::vector<std::string> known_losses;  ///< that the journal itself records: what a crash took, and was reported
  std::vector<std::string> repairs;       ///< what was done, one sentence each

  /// The problems and the known losses, one sentence each.
  DICTUM_API std::vector<std::string> sentences() const;
};

/// Where sessions are kept unless somebody says otherwise: `$XDG_DATA_HOME/dictum/sessions`, else below
/// `~/.local/share`. Errors: `output_unwritable` where neither is set.
DICTUM_API std::filesystem::path default_session_root();

/// Where the sessions of a configuration are kept. Errors: as `default_session_root`.
DICTUM_API std::filesystem::path session_root(const RecorderConfig& config);

/// Every session below a root, by its start, the oldest first. One that cannot be read is listed with its `problem`. A
/// root that is missing has none.
DICTUM_API std::vector<SessionEntry> list_sessions(const std::filesystem::path& root);

/// One of them. Errors: `input_not_found`.
DICTUM_API SessionEntry session_entry(const std::filesystem::path& session);

/// The folder of the session that `what` names: a name, the beginning of just one name, a path, or "last", the one that
/// began last. Errors: `input_not_found`, also where several match.
DICTUM_API std::filesystem::path find_session(const std::filesystem::path& root, std::string_view what);

/// Reads a session. With `revision`, each text is the newest that is not newer than that. Reads the journal once; where
/// it is damaged, the manifest's texts serve, unless a revision is wanted.
DICTUM_API SessionTranscript open_session(const std::filesystem::path& session,
                                          std::optional<int> revision = std::nullopt);

/// The notes of a session, in order, with their texts: as in `open_session`, without reading the journal.
DICTUM_API std::vector<SessionNote> session_notes(const std::filesystem::path& session);

/// A note's file, Markdown. Errors: `session_unreadable` also where the file is not inside of the session, or is larger
/// than 16 MiB.
DICTUM_API std::string read_note(const std::filesystem::path& session, const SessionNote& note);

/// Reads the events of a session again, as they were emitted, in order. `on_event` returns false to end that. Returns
/// what is wrong with the journal as far as it was read; damaged lines are skipped.
DICTUM_API std::vector<SessionProblem> read_events(const std::filesystem::path& session,
                                                   const std::function<bool(const Event&)>& on_event);

/// The bytes that a session takes on disk.
DICTUM_API std::uintmax_t session_size(const std::filesystem::path& session);

struct SessionSearch {
  enum class Scope { everything, segments, notes };

  /// Words that must all be there, in any order: a word, the beginning of one ("trans*"), or a phrase ("\"new note\"").
  /// Any string is a query: what is no letter or digit separates words, case and accents do not matter. Without words,
  /// everything within the dates is found.
  std::string text;
  Scope scope = Scope::everything;
  std::optional<std::chrono::system_clock::time_point> from;    ///< said at this moment or later
  std::optional<std::chrono::system_clock::time_point> before;  ///< said before this moment
  std::string session;                                          ///< the name of the only one to search in
  std::size_t limit = 50;
};

struct SessionMatch {
  struct Mark {  ///< bytes of `text`
    std::size_t begin{};
    std::size_t size{};
    bool operator==(const Mark&) const = default;
  };

  std::filesystem::path session;
  std::string text;               ///< of the segment, or of the note's body; on one line
  std::vector<Mark> marks;        ///< where the words stand in `text`
  std::string note_title;         ///< of a note
  std::string note_path;          ///< of a note, relative to the session; empty for a segment
  std::uint32_t segment_index{};  ///< of a note: its first one
  Frame start_frame{};            ///< of the speech
  Frame end_frame{};
  int sample_rate{};
  std::chrono::system_clock::time_point said_at;
};

/// Finds what was said below a root, the newest first. Brings the search index beside the sessions up to date first.
/// Errors: `output_unwritable` and `disk_full` where not even an index in memory works.
DICTUM_API std::vector<SessionMatch> search_sessions(const std::filesystem::path& root, const SessionSearch& search);

/// The same with the index kept open: for searches that follow each other, such as while somebody types.
///
/// Thread safety: one thread at a time.
class DICTUM_API SessionFinder {
 public:
  explicit SessionFinder(const std::filesystem::path& root);
  ~SessionFinder();
  SessionFinder(const SessionFinder&) = delete;
  SessionFinder& operator=(const SessionFinder&) = delete;

  std::vector<SessionMatch> search(const SessionSearch& search);

 private:
  struct Index;
  const std::unique_ptr<Index> index_;
};

/// Makes the search index again from the sessions' files; its path. Errors: as `search_sessions`.
DICTUM_API std::filesystem::path rebuild_search_index(const std::filesystem::path& root);

/// Compares every file of a session with its journal: the lines and their checksums, the sound files, the manifest, the
/// transcripts, the notes and the search index. Changes nothing. Errors: `input_not_found`.
DICTUM_API SessionCheck verify_session(const std::filesystem::path& session);

/// Makes again what can be made from the journal and the sound files, and records what was lost in the journal. No
/// sound is removed or changed, but for what a crash left behind an end that the journal states. Transcribes nothing;
/// texts that are missing wait for `dictum resume`. A session that is whole stays as it is, to the byte. `problems` are
/// those that remain. Errors: `input_not_found`, `session_locked`, `session_unreadable` for a session of a newer
/// version, `disk_full`, `output_unwritable`.
DICTUM_API SessionCheck repair_session(const std::filesystem::path& session);

enum class ExportFormat { txt, srt, vtt, json, markdown, wav, flac };

/// By the name of a format or the extension of a file, with its dot or without: "txt", "srt", "vtt", "json", "md",
/// "wav", "flac". Empty for another.
DICTUM_API std::optional<ExportFormat> export_format(std::string_view name) noexcept;

struct ExportOptions {
  std::optional<ExportFormat> format{};  ///< empty: by the file's extension
  std::optional<int> revision{};         ///< of texts: each is the newest that is not newer than that
  bool whole_timeline = false;           ///< audio: with silence in place of what was not kept; else the kept segments
};

/// Exports a session to a new file. Returns what is missing in it, a sentence each: texts that failed or are not
/// transcribed yet are marked in the file, missing audio is silence. Errors: `invalid_argument` for an extension that
/// is no format, `output_unwritable` also where the file exists, `disk_full`; nothing is left of the file then.
[[nodiscard]] DICTUM_API std::vector<std::string> export_session(const std::filesystem::path& session,
                                                                 const std::filesystem::path& file,
                                                                 const ExportOptions& options = {});

/// The same as a text: of every format but `wav` and `flac`, which are an `invalid_argument`.
DICTUM_API std::string export_text(const std::filesystem::path& session, ExportFormat format,
                                   std::optional<int> revision = std::nullopt);

/// Corrects a segment's text by hand, as a new revision: the old texts and the audio stay, notes and transcripts
/// follow. Errors: `invalid_argument` for a segment that was not kept, `invalid_state` for a session that is being
/// recorded or was interrupted, `session_locked`, `output_unwritable`, `disk_full`.
DICTUM_API void edit_session(const std::filesystem::path& session, std::uint32_t segment, std::string_view text);

/// Deletes a session for good, with its audio. Errors: `session_unreadable` where the folder is no session of Dictum,
/// and is left alone; `session_locked`; `output_unwritable`.
DICTUM_API void delete_session(const std::filesystem::path& session);

/// Deletes old sessions. One that is open, unfinished or cannot be read stays, and the result says why. Errors:
/// `session_unreadable` where the root cannot be read.
DICTUM_API Pruned prune_sessions(const std::filesystem::path& root, const PruneRule& rule);

/// The sessions below a root that are not finished, or whose manifest or journal is lost, the oldest first; those that
/// another process is working on are left out. Changes nothing of a session; what a deletion that was killed left of
/// one is removed. Errors: `output_unwritable`, `session_unreadable`.
DICTUM_API std::vector<UnfinishedSession> find_unfinished_sessions(const std::filesystem::path& root);

/// What resuming does with segments whose transcription failed.
enum class FailedTexts { keep, retry };

/// Finishes a session that a crash, a kill or a deadline left unfinished: recovers its files and transcribes what has
/// no text. Blocks until that is done, no worker can be started, or `drain_sec` are over (negative: no limit); what is
/// left then stays unfinished, and a RecorderFault says so. `on_event` is called on a thread of its own. Errors:
/// `session_locked`, `transcriber_missing`, `disk_full`, `output_unwritable`; `cancelled` within two seconds of a stop
/// that is requested, which leaves unfinished what has no text yet.
DICTUM_API void resume_session(const RecorderConfig& config, const std::filesystem::path& session, FailedTexts failed,
                               std::function<void(const Event&)> on_event = {}, double drain_sec = -1,
                               std::stop_token stop = {});

/// Finds the segments of a session that was recorded with `session.keep_all` again, with other settings: makes a new
/// session beside it, with the same audio and start, and the segments, texts and notes that `config` gives. The old one
/// stays as it is. Blocks until all is transcribed; `on_event` is called on a thread of its own. The new session's
/// path. Errors: as `RecorderBackend::start_recording`.
DICTUM_API std::filesystem::path resegment_session(const RecorderConfig& config, const std::filesystem::path& session,
                                                   std::function<void(const Event&)> on_event = {});

/// What a further pass does with texts that a person wrote.
enum class EditedTexts { keep, replace };

/// Transcribes every segment of a session again, with the transcriber of `config`, each result a new revision. Blocks
/// as `resume_session`; `on_event` is called on a thread of its own. Errors: `session_locked`, `transcriber_missing`,
/// `invalid_argument` where `config` transcribes nothing. A segment that fails keeps its text; an event reports it.
DICTUM_API void retranscribe_session(const RecorderConfig& config, const std::filesystem::path& session,
                                     EditedTexts edited, std::function<void(const Event&)> on_event = {},
                                     double drain_sec = -1, std::stop_token stop = {});

}  // namespace dictum
