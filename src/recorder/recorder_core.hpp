#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dictum/clock.hpp"
#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"
#include "notes/note_dialogue.hpp"
#include "pipeline/stream_item.hpp"
#include "recorder/redo.hpp"
#include "recorder/replacements.hpp"
#include "recorder/session_language.hpp"

namespace dictum::recorder {

// What the core asks of the session.
struct Emit {
  Event event;
};
struct Transcribe {
  std::uint32_t segment{};  // `RecorderCore::job` says the rest, when its turn has come
};
struct BeginEarly {
  std::uint32_t segment{};  // it has probably ended; its job is the final one if so
};
struct CancelEarly {
  std::uint32_t segment{};
};
struct WarmUp {};  // somebody speaks: there will be a job
struct SetMinSilence {
  int ms{};
};
struct StopCapture {};  // "stop recording" was said
using Action = std::variant<Emit, Transcribe, BeginEarly, CancelEarly, WarmUp, SetMinSilence, StopCapture>;

/// Whether a text is begun before the end of its segment is certain.
enum class Eagerness {
  automatic,  ///< where the text before took no longer than what is left of the silence that ends a segment
  always,
  never,
};

/// The rules of what a recording contains: which events are reported and in which order, which segments are transcribed
/// and when again, in which language, and what becomes a note. Recordings of every kind and the recovery of a crashed
/// session use the same core. What is speech is decided by `vad::Segmenter`; when a session starts, pauses and ends, by
/// `SessionLifecycle`; which worker transcribes, and what follows a failed attempt, by `JobQueue` and `WorkerSlot`.
///
/// Threads: none; one call at a time (the session calls it on its `loop` strand). No input or output, no clock but the
/// injected one. Owner: the session. Throws `BrokenInvariant` only.
class RecorderCore {
 public:
  using Actions = std::vector<Action>;

  struct Settings {
    std::string session;                 // its name
    std::filesystem::path session_path;  // absolute
    int sample_rate{};
    bool transcribes{};
    VADMode mode{};
    int min_silence_ms{};
    int long_note_silence_ms{};
    Eagerness eagerness = Eagerness::automatic;
    std::string language{};  // BCP 47; "auto" or empty: decided from the first texts
    std::vector<std::string> vocabulary{};
    std::map<std::string, std::string> replacements{};
    notes::NotePhrases phrases = notes::NotePhrases::english();
  };

  /// `clock` must outlive the core.
  RecorderCore(Settings settings, const Clock& clock);

  // Inputs from the caller's side.
  void start(Actions& actions);
  void request_stop(Actions& actions);
  void set_mode(VADMode mode, Actions& actions);
  void set_muted(bool muted, Actions& actions);
  void set_vocabulary(std::vector<std::string> vocabulary, Actions& actions);
  void complete_note(Actions& actions);
  void retry_failed(Actions& actions);

  // Inputs from the parts.
  void process(const pipeline::StreamItem& item, Actions& actions);
  void transcribed(std::uint32_t segment, const TranscriptionOutcome& outcome, Actions& actions);

  /// Text so far of a segment. Dropped where `session` is another one (an older session can share the workers), and
  /// where the segment is neither being spoken nor waiting for its text.
  void partial(const std::string& session, std::uint32_t segment, std::string text, std::size_t stable_chars,
               Actions& actions);
  void worker_changed(WorkerStatus status, Actions& actions);
  void report_pending(Actions& actions);  // pending transcriptions are not waited for
  void folder_moved(std::filesystem::path session) { settings_.session_path = std::move(session); }
  void fault(std::string code, std::string message, bool recoverable, Actions& actions);

  /// Takes the place of `start` for a session that a crash or a deadline left unfinished: rebuilds the state from its
  /// journal (complete up to `idle`), then asks for what is missing. `redo` says what else is transcribed again.
  void resume(const std::vector<Event>& journal, Redo redo, Actions& actions);

  /// Whether texts were revised since this was last asked: notes may have to follow them.
  bool take_text_revisions() { return std::exchange(texts_were_revised_, false); }

  /// A note has other words, since texts were revised.
  void note_revised(Frame frame, NoteCompleted note, Actions& actions);

  /// What a transcriber needs for a segment that the core asked to have transcribed; nothing where it is not wanted any
  /// more. Which audio that is follows from the timeline alone, so an early job is the same as the final one.
  std::optional<TranscriptionJob> job(std::uint32_t segment) const;

  /// The same for an interim text of the segment that is being spoken, as far as it has come. It names no phrases: they
  /// take time, and only a final text makes notes.
  TranscriptionJob interim_job(std::uint32_t segment, Frame start_frame, Frame end_frame) const;

  const Settings& settings() const { return settings_; }
  RecordingState state() const { return state_; }

  /// Whether the text of this segment was asked for and has not come; and of how many segments.
  bool is_pending(std::uint32_t segment) const;
  std::size_t pending() const { return pending_; }

 private:
  struct Segment {
    std::uint32_t index{};
    Frame start_frame{};
    Frame end_frame{};
    Frame audio_end{};  // of what a recogniser gets
    int next_revision = 0;
    bool failed = false;
    bool edited = false;              // a person wrote its text
    bool language_corrected = false;  // its text in the session's language was asked for
    std::string language{};           // of its text
    std::optional<std::chrono::steady_clock::time_point> pending_since;  // empty: no text is asked for
  };

  void on_segment_opened(const vad::SegmentOpened& segment, Actions& actions);
  void on_speech_paused(const pipeline::SpeechPaused& speech, Actions& actions);
  void on_speech_resumed(const pipeline::SpeechResumed& speech, Actions& actions);
  void on_segment_closed(const vad::SegmentClosed& segment, Actions& actions);
  void on_capture_closed(const pipeline::Closed& end, Actions& actions);
  void change_state(RecordingState state, Actions& actions);
  Segment* find(std::uint32_t index);
  const Segment* find(std::uint32_t index) const;
  bool should_begin_early() const;
  void renew_early(Actions& actions);
  void keep(std::uint32_t index, Frame start_frame, Frame end_frame, Frame speech_end);
  TranscriptionJob job_of(std::uint32_t index, Frame start_frame, Frame audio_end) const;
  void report_no_speech(double peak_dbfs, Actions& actions);
  void submit(Segment& segment, Actions& actions);
  void ask_again(Segment& segment, Actions& actions);
  void take_text(Segment& segment, const TranscriptionOutcome& outcome, Actions& actions);
  void take_waiting_answer(Actions& actions);
  bool is_first_pending(std::uint32_t index) const;
  bool is_in_another_language(const Segment& segment, const TranscriptionOutcome& outcome) const;
  void choose_language(const TranscriptionOutcome& outcome, Frame frame, Actions& actions);
  void replay(const EventBody& body, std::set<std::uint32_t>& queued, std::size_t& late_notes);
  void transcribe_again(const std::set<std::uint32_t>& queued, Redo redo, Actions& actions);
  void advance_notes(Frame now, Actions& actions);
  void emit_notes(const std::vector<notes::Output>& outputs, Actions& actions);
  void emit_queue_status(Actions& actions);
  void emit(Frame frame, EventBody body, Actions& actions);
  int silence_of(VADMode mode) const;
  Frame note_time(Frame frame) const { return frame - paused_frames_; }
  std::string wav_path(std::uint32_t segment) const;

  Settings settings_;
  const Clock& clock_;
  std::uint64_t sequence_ = 0;
  RecordingState state_ = RecordingState::starting;
  VADMode mode_;
  bool muted_ = false;
  bool capture_closed_ = false;
  Frame now_ = 0;

  std::deque<Segment> segments_;   // the kept ones, in order of their indexes
  std::size_t pending_ = 0;        // of them: their texts were asked for and have not come
  std::size_t first_pending_ = 0;  // no segment before this index into `segments_` is pending
  std::size_t completed_ = 0;

  std::optional<pipeline::SpeechPaused> early_;                   // whose job was begun early
  std::optional<std::chrono::duration<double>> processing_time_;  // of the newest text

  std::vector<std::string> vocabulary_;
  const Replacements replacements_;
  SessionLanguage language_;
  std::map<std::uint32_t, TranscriptionOutcome> waiting_answers_;  // pending until the texts before them have come

  notes::NoteDialogue dialogue_;
  const std::vector<std::string> commands_;      // phrases that a recogniser may spot by itself
  std::optional<std::uint32_t> newest_segment_;  // that was opened
  bool segment_is_open_ = false;
  Frame gap_frames_ = 0;
  bool texts_were_revised_ = false;
  Frame paused_frames_ = 0;        // a note does not end because the recording paused, so its clock stands still then
  std::uint32_t notes_ = 0;        // files so far
  std::size_t notes_to_skip_ = 0;  // note events that a resumed session's journal already has
};

}  // namespace dictum::recorder
