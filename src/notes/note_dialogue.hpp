#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"
#include "dictum/transcriber.hpp"
#include "notes/phrase_matcher.hpp"

namespace dictum::notes {

/// The title of a note that was given none.
inline constexpr const char* kUntitled = "Untitled";

/// A command was said. Without an open note (its start was missed, say) "end" and "cancel" have no effect and are
/// reported all the same, where they were said word for word and alone: the speaker learns that they were understood,
/// and that no NoteEnded follows. "scratch" without a note is ordinary speech.
struct CommandDetected {
  std::uint32_t segment{};
  NoteCommand command{};
  bool operator==(const CommandDetected&) const = default;
};

struct TitleCaptured {
  std::uint32_t segment{};
  std::string title;
  bool operator==(const TitleCaptured&) const = default;
};

/// Exactly one for each start command: the note is completed, or cancelled.
struct NoteEnded {
  bool cancelled{};
  std::string title;                    ///< kUntitled where there is none
  std::string text;                     ///< the body, segments separated by a space
  std::vector<std::uint32_t> segments;  ///< of the body, in audio order; those without a text included
  Frame start_frame{};                  ///< where the start command's speech begins
  Frame end_frame{};                    ///< where the speech of the note's last segment ends
  bool operator==(const NoteEnded&) const = default;
};

/// "stop recording" was said: the session is to end. Segments behind this one are not read.
struct StopRequested {
  std::uint32_t segment{};
  bool operator==(const StopRequested&) const = default;
};

using Output = std::variant<CommandDetected, TitleCaptured, NoteEnded, StopRequested>;

/// What is known of the words of a kept segment.
struct SegmentText {
  bool success = true;  ///< false: the transcription failed, and there is no text
  std::string text{};
  /// Phrases that the engine spotted itself or that a second decoding confirmed (see PhraseMatcher). One counts where
  /// its confidence is at least kMinPhraseConfidence and the text begins or ends with something that sounds like it.
  std::vector<DetectedPhrase> phrases{};
  bool suspect = false;       ///< the engine's evidence speaks against the text: it holds no title
  std::vector<Word> words{};  ///< of the text, with their times; empty where the engine gives none
};

/// Less is no evidence: keyword spotting reports every phrase with some likelihood.
inline constexpr double kMinPhraseConfidence = 0.3;

/// So long a pause between two words ends a title that the recogniser wrote no punctuation behind. Within a phrase the
/// times that Whisper gives words leave no more than 0.2 s.
inline constexpr double kPauseInBreathSec = 0.25;

struct DialogueSettings {
  int sample_rate{};           ///< of every Frame
  double end_silence_sec = 5;  ///< no speech for so long after a body segment completes the note
  double title_wait_sec = 60;  ///< how long a note waits for its title, and then for the first segment of its body
  NotePhrases phrases = NotePhrases::english();
};

/// Makes notes out of segments and their texts. One thread at a time (the recorder's `loop`); owned by the core;
/// nothing fails. No clock, no files.
///
/// Segments are read strictly in audio order, each once its text is known, and every decision compares frames with
/// frames. So the outputs and their order depend on what was said and when, never on when a text came, and the same
/// calls made again (recovery) give the same notes.
///
/// The title is the rest of the sentence behind the start command, else the first sentence of the next segment that has
/// words; what follows it in its segment begins the body. Where no punctuation ends a title in one breath with its
/// command, a pause between two words does (kPauseInBreathSec). A segment whose text is empty, an annotation, suspect,
/// or only introduces a title ("the title is") is passed over, so that the title may still come; one that failed leaves
/// the note untitled.
///
/// The caller reports segments in order; `segment_opened` comes before any `audio_time` that is more than a second past
/// its `speech_start`; every segment is closed before `recording_stopped`, and every kept one gets a text or a failure.
/// A segment that was not kept does not exist for notes.
class NoteDialogue {
 public:
  explicit NoteDialogue(DialogueSettings settings);

  /// Every command phrase, for recognisers that can search for phrases or take a prompt.
  std::vector<std::string> commands() const { return matcher_.commands(); }

  void segment_opened(std::uint32_t index, Frame speech_start);
  void segment_closed(std::uint32_t index, Frame speech_end, bool kept);

  /// The text of a kept segment, or that it failed. In any order relative to other segments; of several for one segment
  /// the first counts.
  void text_arrived(std::uint32_t index, const SegmentText& text, std::vector<Output>& out);

  /// A later text of a segment, passed before its first one: where it has the same commands in it, it is read instead.
  /// So later texts change the words of notes, and never which notes there are.
  void revise(std::uint32_t index, const SegmentText& later);

  /// The audio clock has reached `now`.
  void audio_time(Frame now, std::vector<Output>& out);

  /// No more segments will open. Notes that wait for texts are completed when those arrive.
  void recording_stopped(Frame end, std::vector<Output>& out);

  /// Ends the open note as "end note" would, behind the last segment that has opened so far.
  void complete(Frame now, std::vector<Output>& out);

  /// As far as texts are known.
  bool note_open() const { return note_.has_value(); }
  bool waits_for_title() const { return note_ && note_->waits_for_title; }
  std::string title() const;  ///< empty while there is none
  std::string body() const;

 private:
  struct Segment {
    Frame start{};
    std::optional<Frame> end;
    bool kept{};
    std::optional<SegmentText> text;
    std::optional<SegmentText> later;
  };
  struct Part {
    std::uint32_t segment{};
    std::string text;
  };
  struct Note {
    Frame start{};
    Frame end{};        // of its last segment so far
    Frame wait_from{};  // silence counts from here
    bool waits_for_title = true;
    std::string title;
    std::vector<Part> body;
  };

  Frame frames(double seconds) const;
  void advance(std::vector<Output>& out);
  bool silence_ran_out() const;
  void read(std::uint32_t index, Segment segment, std::vector<Output>& out);
  std::vector<PhraseMatch> commands_in(const Segment& segment) const;
  void take_content(std::uint32_t index, const Segment& segment, std::string_view text, bool behind_start,
                    std::vector<Output>& out);
  std::string_view take_title(std::uint32_t index, const Segment& segment, std::string_view text, bool behind_start,
                              std::vector<Output>& out);
  std::vector<std::size_t> pauses_in(const SegmentText& segment, std::string_view text) const;
  void report_without_note(const PhraseMatch& match, std::uint32_t index, std::vector<Output>& out) const;
  void apply(NoteCommand command, std::uint32_t index, const Segment& segment, std::vector<Output>& out);
  void end_note(bool cancelled, std::vector<Output>& out);

  DialogueSettings settings_;
  PhraseMatcher matcher_;
  std::map<std::uint32_t, Segment> waiting_;  // opened and not read yet
  std::uint32_t opened_ = 0;                  // segments below this have opened
  std::deque<std::uint32_t> completions_;     // complete() was called when this many had opened
  Frame opened_until_ = 0;                    // every segment that starts before this has opened
  bool finished_ = false;                     // by the stop command
  std::optional<Note> note_;
};

}  // namespace dictum::notes
