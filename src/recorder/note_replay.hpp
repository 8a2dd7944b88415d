#pragma once

#include <map>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "notes/note_dialogue.hpp"

namespace dictum::recorder {

/// Applies a session's journal to a note dialogue, event by event, as the recording did: the same
/// notes come out. No thread, no file; never fails.
class NoteReplay {
 public:
  /// Texts that are newer than a segment's first; where that one failed, they stand in its place.
  using LaterTexts = std::map<std::uint32_t, notes::SegmentText>;

  /// `dialogue`, which is new, must outlive the replay.
  explicit NoteReplay(notes::NoteDialogue& dialogue, LaterTexts later = {});

  void apply(const Event& event, std::vector<notes::Output>& out);

  /// The journal has no more: the recording had stopped.
  void end(std::vector<notes::Output>& out);

  /// A note does not end because the recording paused: its clock stands still then, by so many frames until now.
  Frame paused_frames() const { return paused_frames_; }

 private:
  notes::NoteDialogue& dialogue_;
  const LaterTexts later_;
  Frame now_ = 0;
  Frame paused_frames_ = 0;
};

}  // namespace dictum::recorder
