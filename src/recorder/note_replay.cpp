#include "recorder/note_replay.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace dictum::recorder {

NoteReplay::NoteReplay(notes::NoteDialogue& dialogue, LaterTexts later)
    : dialogue_(dialogue), later_(std::move(later)) {}

void NoteReplay::apply(const Event& event, std::vector<notes::Output>& out) {
  now_ = std::max(now_, event.frame);
  dialogue_.audio_time(now_ - paused_frames_, out);
  if (const auto* detected = std::get_if<SpeechDetected>(&event.body)) {
    dialogue_.segment_opened(detected->segment_index, event.frame - paused_frames_);
  } else if (const auto* ended = std::get_if<SpeechEnded>(&event.body)) {
    dialogue_.segment_closed(ended->segment_index, event.frame - paused_frames_, ended->kept);
  } else if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
    if (complete->revision > 0) return;
    const auto later = later_.find(complete->segment_index);
    if (later != later_.end() && !complete->success) {
      dialogue_.text_arrived(complete->segment_index, later->second, out);
      return;
    }
    if (later != later_.end()) dialogue_.revise(complete->segment_index, later->second);
    dialogue_.text_arrived(complete->segment_index,
                           {complete->success, complete->text, complete->phrases, complete->suspect, complete->words},
                           out);
  } else if (const auto* command = std::get_if<NoteCommandDetected>(&event.body)) {
    if (command->command == NoteCommand::complete) dialogue_.complete(now_ - paused_frames_, out);
  } else if (const auto* gap = std::get_if<AudioGap>(&event.body)) {
    if (gap->reason == GapReason::paused) paused_frames_ += gap->frames;
  }
}

void NoteReplay::end(std::vector<notes::Output>& out) {
  dialogue_.recording_stopped(now_ - paused_frames_, out);
}

}  // namespace dictum::recorder
