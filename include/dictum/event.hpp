#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/export.hpp"
#include "dictum/frame.hpp"

namespace dictum {

enum class RecordingState { starting, recording, paused, stopping, idle, failed };
enum class VADMode { normal, long_note };
enum class NoteCommand {
  start,
  end,
  cancel,
  scratch,
  stop,
  complete,  ///< not spoken: `complete_note` was called, behind the segment
};
enum class GapReason { overflow, device_lost, stalled, suspended, paused, disk };
enum class WorkerState { starting, ready, busy, stopped, failed };

/// Why a segment was not kept.
enum class DiscardReason {
  too_short,  ///< it has less speech than `[vad] min_speech_ms`
  no_audio,   ///< none of its sound reached the disk: it was full, or found so after a crash
};

/// `recording` begins a session's events. After `idle` or `failed` only transcription, note and fault events follow.
struct RecordingStateChanged {
  RecordingState state{};
  bool is_recording{};  ///< false in `idle` and `failed` only
  bool is_paused{};
  bool is_muted{};
  bool operator==(const RecordingStateChanged&) const = default;
};

/// The silence that ends a segment changed, by configuration or by `set_vad_mode`; never by a transcript.
struct VADModeChanged {
  VADMode mode{};
  int min_silence_ms{};
  bool operator==(const VADModeChanged&) const = default;
};

/// Opens segment `segment_index`; the event's `frame` is the first speech window's first frame.
struct SpeechDetected {
  std::uint32_t segment_index{};  ///< counts up from 0 in a session, never reused
  Frame start_frame{};            ///< where the kept audio begins (the pre-roll included)
  bool operator==(const SpeechDetected&) const = default;
};

/// Exactly one for each SpeechDetected; the event's `frame` is where the closing silence began.
struct SpeechEnded {
  std::uint32_t segment_index{};
  double duration_sec{};  ///< of the kept audio
  bool kept{};
  Frame start_frame{};                            ///< of the kept audio
  Frame end_frame{};                              ///< of the kept audio, exclusive
  std::optional<DiscardReason> discard_reason{};  ///< where it was not kept; in JSON only then
  bool operator==(const SpeechEnded&) const = default;
};

/// Exactly one for each kept segment, once its WAV is complete (none where transcription is off).
struct TranscriptionQueued {
  std::uint32_t segment_index{};
  std::string wav_path;  ///< absolute in the API, relative to the session's folder in the journal
  bool operator==(const TranscriptionQueued&) const = default;
};

/// A recognised word and where it was said, on the session's clock.
struct Word {
  std::string text;
  Frame start_frame{};
  Frame end_frame{};
  double confidence{};  ///< 0 to 1
  bool operator==(const Word&) const = default;
};

/// A phrase that the engine was asked to listen for, and spotted by itself: a note command, say.
struct DetectedPhrase {
  std::string phrase;
  double confidence{};  ///< 0 to 1
  Frame start_frame{};
  Frame end_frame{};
  bool operator==(const DetectedPhrase&) const = default;
};

/// Why something failed: a short name for programs, a sentence for people.
struct EventError {
  std::string code;
  std::string message;
  bool operator==(const EventError&) const = default;
};

/// Words of a text that a fixed correction replaced (`[transcription.replacements]`).
struct Replacement {
  std::string written;  ///< by the engine
  std::string meant;    ///< what stands in the text in its place
  bool operator==(const Replacement&) const = default;
};

/// Exactly one for each queued segment and revision, also where every attempt failed. The event's `frame` is the end of
/// the segment's kept audio.
struct TranscriptionComplete {
  std::uint32_t segment_index{};
  std::string text;
  bool success{};
  std::optional<EventError> error;
  double processing_time_sec{};
  std::vector<Word> words;  ///< empty where the engine gives no times
  std::optional<double> no_speech_probability;
  bool suspect{};  ///< the engine's own evidence says that the text may be invented; the text is kept all the same
  int revision{};  ///< 0 for the first result of a segment, counting up with every later one
  std::vector<DetectedPhrase> phrases{};  ///< recognised beside the text; notes go by them too
  bool edited{};                          ///< a person wrote the text; in JSON only where it is true
  std::string suspect_reason{};           ///< why it is suspect, one sentence; empty otherwise
  std::vector<std::string>
      annotations{};       ///< what the engine wrote beside words, taken out of the text: "[BLANK_AUDIO]"
  std::string engine{};    ///< what made the text, for example "whisper.cpp 1.9.3"; may be empty
  std::string model{};     ///< its model; may be empty
  std::string language{};  ///< BCP 47, of the text; empty where the engine does not report it
  std::vector<Replacement> replacements{};  ///< in `text`, in order
  bool operator==(const TranscriptionComplete&) const = default;
};

/// The language of the session was decided, since its first texts agree: all further segments are transcribed in it,
/// and those in another one again. At most one a session, and only with `[transcription] language = "auto"`.
struct TranscriptionLanguageChosen {
  std::string language;  ///< BCP 47
  bool operator==(const TranscriptionLanguageChosen&) const = default;
};

struct NoteCommandDetected {
  std::uint32_t segment_index{};
  NoteCommand command{};
  bool operator==(const NoteCommandDetected&) const = default;
};

struct NoteTitleCaptured {
  std::uint32_t segment_index{};
  std::string title;
  bool operator==(const NoteTitleCaptured&) const = default;
};

struct NoteCompleted {
  std::string title;
  std::string text;                     ///< the body, segments separated by a space
  std::vector<std::uint32_t> segments;  ///< of the body, in audio order
  std::string path;                     ///< of the Markdown file; absolute in the API, relative in the journal
  int revision{};                       ///< 0 for the note as it was spoken; later ones follow revised texts
  bool late{};  ///< its start has a text only since the recording ended: no other note event reports it. In JSON only
                ///< where it is true
  bool operator==(const NoteCompleted&) const = default;
};

struct NoteCancelled {
  std::string title;
  std::string text;
  std::vector<std::uint32_t> segments;
  std::string path;
  bool operator==(const NoteCancelled&) const = default;
};

/// Frames that the clock counts and that were not recorded. Emitted when the gap has ended.
struct AudioGap {
  Frame start_frame{};
  Frame frames{};
  GapReason reason{};
  bool operator==(const AudioGap&) const = default;
};

struct DeviceChanged {
  std::string device;
  std::string reason;
  bool operator==(const DeviceChanged&) const = default;
};

struct WorkerStatus {
  std::string worker;  ///< for example "pocketsphinx-0"
  WorkerState state{};
  std::string reason;  ///< for people: what it runs, or what went wrong
  std::string code{};  ///< of what went wrong: `to_string(Errc)`, or a word of the worker's own; otherwise empty, and
                       ///< left out in JSON
  bool operator==(const WorkerStatus&) const = default;
};

/// Every failure is reported by this event.
struct RecorderFault {
  std::string code;     ///< `to_string(Errc)`, or another name: hook_failed, no_speech, input_silent and so on
  std::string message;  ///< what is wrong and what to do, one sentence
  bool recoverable{};   ///< the recording goes on, or can go on
  bool operator==(const RecorderFault&) const = default;
};

/// Ephemeral: no sequence, not journaled, may be merged for a slow subscriber.
struct TranscriptionPartial {
  std::uint32_t segment_index{};
  std::string text;
  std::size_t stable_chars{};  ///< bytes at the start of `text` (whole characters) that two successive partials share
  bool operator==(const TranscriptionPartial&) const = default;
};

/// Ephemeral: at most 20 a second.
struct AudioLevel {
  double rms_dbfs{};
  double peak_dbfs{};
  double speech_probability{};
  double silence_ms{};  ///< of the running countdown to the segment's end; 0 while there is speech
  bool operator==(const AudioLevel&) const = default;
};

/// Ephemeral.
struct QueueStatus {
  std::size_t queued_jobs{};
  std::size_t completed_transcriptions{};
  double oldest_sec{};  ///< age of the oldest queued job
  bool operator==(const QueueStatus&) const = default;
};

using EventBody = std::variant<RecordingStateChanged, VADModeChanged, SpeechDetected, SpeechEnded, TranscriptionQueued,
                               TranscriptionComplete, NoteCommandDetected, NoteTitleCaptured, NoteCompleted,
                               NoteCancelled, AudioGap, DeviceChanged, WorkerStatus, RecorderFault,
                               TranscriptionLanguageChosen, TranscriptionPartial, AudioLevel, QueueStatus>;

/// One event: the envelope, and what happened.
struct DICTUM_API Event {
  std::string session;                    ///< the session's name, for example "20261122_154501"
  std::optional<std::uint64_t> sequence;  ///< gapless from 0 in a session; absent in ephemeral events
  double timestamp{};                     ///< moment of emission, seconds since the Unix epoch
  Frame frame{};                          ///< position on the recording's one clock
  EventBody body;
  bool operator==(const Event&) const = default;

  /// The event's name as in JSON, for example "SpeechEnded".
  std::string_view name() const noexcept;

  /// True for the events that have no sequence: TranscriptionPartial, AudioLevel, QueueStatus.
  bool is_ephemeral() const noexcept;

  /// The event as one line of JSON, without a line break: the envelope of the journal, the command line and the
  /// network.
  std::string to_json() const;
};

/// The names of the enumerations as they stand in JSON.
DICTUM_API std::string_view to_string(RecordingState state) noexcept;
DICTUM_API std::string_view to_string(VADMode mode) noexcept;
DICTUM_API std::string_view to_string(NoteCommand command) noexcept;
DICTUM_API std::string_view to_string(GapReason reason) noexcept;
DICTUM_API std::string_view to_string(WorkerState state) noexcept;
DICTUM_API std::string_view to_string(DiscardReason reason) noexcept;

}  // namespace dictum
