#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "audio/flac_writer.hpp"
#include "audio/wav_writer.hpp"
#include "dictum/event.hpp"
#include "dictum/frame.hpp"
#include "journal/append_file.hpp"
#include "journal/journal_reader.hpp"
#include "journal/layout.hpp"
#include "session/manifest.hpp"
#include "session/probabilities.hpp"

namespace dictum::session {

struct SessionInfo {
  int sample_rate{};
  std::string source;          ///< AudioSource::description()
  boost::json::object config;  ///< for people and for a second pass
  bool keep_all{};
  bool transcribes{};
  bool survives_power_cut = true;  ///< else nothing waits for the disk
};

/// Everything that a recording leaves on disk, and the session's lock.
///
/// Lives on the `disk` strand, one call at a time, and has no thread of its own. Owner: the recording, or whoever works
/// on an old session. A function that fails throws RecorderError, disk_full or output_unwritable, having done what it
/// could of the rest; the object stays usable: other files may still work, events that could not be written go before
/// the next one, and the functions of a segment can be called again, with the same arguments, until they succeed.
/// Destroying it writes nothing and frees the lock.
class SessionWriter {
 public:
  /// Makes the folder below `root`, the lock, the journal and the first manifest. When it throws, nothing is left.
  static SessionWriter create(const std::filesystem::path& root, std::chrono::system_clock::time_point started,
                              const SessionInfo& info);

  /// Takes a session that exists, to finish it or for a second pass: folds the journal, drops a torn last line, and
  /// makes transcripts and notes what the journal says. Where the journal is damaged, what is good before and after is
  /// used; where the manifest is, what it said is found out from the journal and the sound files. Throws RecorderError
  /// also with session_locked, and with session_unreadable where the folder is no session of ours or one of a newer
  /// version; nothing has been changed then.
  static SessionWriter reopen(const std::filesystem::path& session);

  const std::filesystem::path& path() const { return folder_->path(); }  ///< absolute
  const journal::SessionFolder& folder() const { return *folder_; }
  /// For whoever outlives this, or works beside it.
  std::shared_ptr<const journal::SessionFolder> shared_folder() const { return folder_; }
  const std::string& name() const { return manifest_.session; }
  const Manifest& manifest() const { return manifest_; }

  /// Of a session that was reopened: its whole journal, what was recorded since then included, with absolute paths, so
  /// that nobody has to read it again. Empty for a new session, whose events are on the disk only.
  const std::vector<Event>& events() const { return events_; }

  /// The sequence that the journal's next event has.
  std::uint64_t next_sequence() const { return next_sequence_; }

  /// What `reopen` found, for whoever recovers the session.
  struct Findings {
    std::int64_t dropped_bytes = 0;               ///< of a torn last line
    std::vector<journal::JournalProblem> damage;  ///< of the journal; what is listed stays in the file
    std::string lost_manifest;                    ///< why it could not be read; empty where it could
    std::optional<Manifest> former;               ///< as it was
  };
  const Findings& findings() const { return findings_; }

  /// Begins the segment's WAV, whose first frame is `start_frame` of the clock.
  void open_segment(std::uint32_t index, Frame start_frame);
  void append_segment(std::uint32_t index, std::span<const std::int16_t> samples);
  /// Frames that an open segment's WAV has; 0 for another.
  Frame segment_frames(std::uint32_t index) const;
  /// Completes the WAV with just its first `kept_frames`. Does nothing where it is not open.
  void close_segment(std::uint32_t index, Frame kept_frames);
  /// Removes the WAV.
  void discard_segment(std::uint32_t index);

  /// The whole timeline, gaps as zeros; nothing without `keep_all`.
  void append_timeline(std::span<const std::int16_t> samples);

  /// What the detector said of the next windows; it began afresh at `start_frame` of the clock. Nothing without
  /// `keep_all`.
  void append_probabilities(Frame start_frame, std::span<const float> probabilities);

  /// Appends an event to the journal, then brings manifest, transcripts and notes up to date with it. Ephemeral events
  /// are not recorded.
  void record(const Event& event);

  /// Whether the journal's newest line waits in memory, since it could not be written.
  bool is_journal_behind() const { return journal_.has_waiting(); }

  /// Tries again to write it.
  void flush_journal() { journal_.append(""); }

  /// How far the recording has come, for the manifest.
  void progress(Frame frames_captured, Frame end_frame, double drift_ppm);

  void save_manifest();

  /// Looks whether the folder, the journal and the open segments have their names still. A folder that was moved is
  /// followed; one that was removed is made again, as are these files, with all that was written to them. Throws where
  /// that could not be done, and is to be called again before anything else is written.
  void keep_folder();

  /// The same for the other files, which no audio has to wait for: the transcripts, the timeline, the probabilities.
  void keep_other_files();

  /// What became of the folder and the files since this was last asked, as a sentence; empty where nothing did.
  std::optional<std::string> take_folder_report();

  /// Whether what is written has to be flushed to the disk.
  bool survives_power_cut() const { return flush_ == journal::FileReplacement::Flush::now; }

  /// The files that were written since this was last asked, and may not be on the disk yet: for `sync`.
  std::vector<std::string> take_unsynced();

  /// Waits until these files of a session, and their names, are on the disk. Touches no writer: safe on any thread,
  /// beside the writing. Throws RecorderError.
  static void sync(const journal::SessionFolder& folder, const std::vector<std::string>& files);

  /// Closes every file, completes the transcripts and writes the final manifest. Nothing else follows. With texts still
  /// outstanding the session counts as unfinished, and `find_unfinished` finds it.
  void finish(std::optional<std::chrono::system_clock::time_point> stopped_at);

  static std::string segment_file(std::uint32_t index) { return journal::segment_file(index); }

 private:
  SessionWriter(journal::SessionFolder folder, journal::AppendFile journal);

  void write_note(const Event& event);
  void update_incremental(const Event& event);
  void update_raw(const Event& event);
  void rewrite_raw();

  void restore(audio::OutputFile& file, const std::string& name);
  void restore_sound_and_journal();

  std::shared_ptr<const journal::SessionFolder> folder_;
  std::vector<std::filesystem::path> former_paths_;  // events on their way have paths below them
  bool is_move_unreported_ = false;
  bool is_restore_unreported_ = false;
  journal::AppendFile journal_;
  journal::LineChain chain_;
  journal::AppendFile incremental_;
  journal::AppendFile raw_;
  journal::AppendFile unfinished_;
  std::map<std::uint32_t, audio::WAVWriter> open_;
  std::optional<std::uint32_t> noted_;  // the newest segment whose start is noted
  std::unique_ptr<audio::FLACWriter> timeline_;
  std::optional<ProbabilityWriter> probabilities_;
  std::set<std::string> unsynced_;  // within the session

  Manifest manifest_;
  journal::FileReplacement::Flush flush_ = journal::FileReplacement::Flush::now;
  bool was_reopened_ = false;
  std::vector<Event> events_;
  std::uint64_t next_sequence_ = 0;
  Findings findings_;
  std::size_t raw_segments_ = 0;  // so many of the manifest's segments are in the transcript in order of speech
  bool raw_is_stale_ = false;     // a rewriting failed
};

}  // namespace dictum::session
