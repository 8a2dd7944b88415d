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

/// The title of a note whose title nobody heard.
inline constexpr const char* kUntitled = "Untitled";

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

/// "stop recording" was said: the session is to end. Nothing is read from segments behind this one.
struct StopRequested {
  std::uint32_t segment{};
  bool operator==(const StopRequested&) const = default;
};

using Output = std::variant<CommandDetected, TitleCaptured, NoteEnded, StopRequested>;

struct DialogueSettings {
  int sample_rate{};           ///< of every Frame
  double end_silence_sec = 5;  ///< no speech for so long after a body segment completes the note
  double title_wait_sec = 60;  ///< how long the title is waited for, and after it the body's first segment
  NotePhrases phrases = NotePhrases::english();
};

/// Makes notes out of segments and their texts. One thread at a time (the recorder's `loop`); owned by the core;
/// nothing fails. No clock, no files.
///
/// Segments are read strictly in audio order, each once its text is known, and every decision compares frames with
/// frames. So the outputs and their order depend on what was said and when, never on when a text came, and the same
/// calls made again (recovery) give the same notes.
///
/// The caller reports segments in order; `segment_opened` comes before any `audio_time` that is more than a second past
/// its `speech_start`; every segment is closed before `recording_stopped`, and every kept one gets a text or a failure.
/// A segment that was not kept does not exist for notes.
class NoteDialogue {
 public:
  explicit NoteDialogue(DialogueSettings settings);

  void segment_opened(std::uint32_t index, Frame speech_start);
  void segment_closed(std::uint32_t index, Frame speech_end, bool kept);

  /// The text of a kept segment; with `success` false, what is known is that there is none. In any order relative to
  /// other segments; of several for one segment the first counts. `phrases` are those that the engine itself spotted.
  void text_arrived(std::uint32_t index, bool success, const std::string& text,
                    const std::vector<DetectedPhrase>& phrases, std::vector<Output>& out);

  /// A later text of a segment, told before its first one: where it has the same commands in it, the segment is read as
  /// it says. So later texts change the words of notes, and never which notes there are.
  void revise(std::uint32_t index, const std::string& text, const std::vector<DetectedPhrase>& phrases);

  /// The audio clock has come to `now`.
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
    bool has_text{};
    bool success{};
    std::string text;
    std::vector<DetectedPhrase> phrases;
    std::optional<std::pair<std::string, std::vector<DetectedPhrase>>> later;  // text and phrases
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
  void take_content(std::uint32_t index, const Segment& segment, std::string_view text, std::vector<Output>& out);
  void obey(NoteCommand command, std::uint32_t index, const Segment& segment, std::vector<Output>& out);
  void end_note(bool cancelled, std::vector<Output>& out);

  DialogueSettings settings_;
  PhraseMatcher matcher_;
  std::map<std::uint32_t, Segment> waiting_;  // opened and not read yet
  std::uint32_t opened_ = 0;                  // segments below this have opened
  std::deque<std::uint32_t> completions_;     // complete() was called when this many had opened
  Frame heard_until_ = 0;                     // every segment that starts before this has opened
  bool finished_ = false;                     // by the stop command
  std::optional<Note> note_;
};

}  // namespace dictum::notes
