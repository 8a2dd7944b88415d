#include "notes/note_dialogue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace dictum::notes {

namespace {

// How much later than its first frame a segment may be reported, on the audio clock.
constexpr double kReportDelaySec = 1;

// A spotted phrase stands at the beginning of the speech, or at its end, when no more than this lies between. The
// beginning leaves room for a prefix.
constexpr double kAtBeginningSec = 1;
constexpr double kAtEndSec = 0.5;

// Punctuation that is left over where a command was cut off.
constexpr std::string_view kLooseEnds = " \t\r\n\f\v,;:-";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kLooseEnds);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kLooseEnds) + 1 - first);
}

/// Those that count. Of phrases in the same place the longest is meant: "start a new note", not the "new note" in it.
std::vector<DetectedPhrase> without_overlaps(std::vector<DetectedPhrase> spotted) {
  std::erase_if(spotted, [](const DetectedPhrase& phrase) { return !(phrase.confidence >= kMinPhraseConfidence); });
  const auto length = [](const DetectedPhrase& phrase) { return phrase.end_frame - phrase.start_frame; };
  std::sort(spotted.begin(), spotted.end(), [&](const DetectedPhrase& a, const DetectedPhrase& b) {
    if (length(a) != length(b)) return length(a) > length(b);
    if (a.phrase.size() != b.phrase.size()) return a.phrase.size() > b.phrase.size();
    if (a.start_frame != b.start_frame) return a.start_frame < b.start_frame;
    return a.phrase < b.phrase;
  });
  std::vector<DetectedPhrase> kept;
  for (auto& phrase : spotted) {
    const bool overlaps = std::any_of(kept.begin(), kept.end(), [&](const DetectedPhrase& longer) {
      return phrase.start_frame < longer.end_frame && longer.start_frame < phrase.end_frame;
    });
    if (!overlaps) kept.push_back(std::move(phrase));
  }
  std::sort(kept.begin(), kept.end(), [](const DetectedPhrase& a, const DetectedPhrase& b) {
    return std::tie(a.start_frame, a.phrase) < std::tie(b.start_frame, b.phrase);
  });
  return kept;
}

}  // namespace

NoteDialogue::NoteDialogue(DialogueSettings settings) : settings_(std::move(settings)), matcher_(settings_.phrases) {}

Frame NoteDialogue::frames(double seconds) const {
  return static_cast<Frame>(std::llround(seconds * settings_.sample_rate));
}

void NoteDialogue::segment_opened(std::uint32_t index, Frame speech_start) {
  if (index < opened_) return;
  opened_ = index + 1;
  waiting_[index].start = speech_start;
}

void NoteDialogue::segment_closed(std::uint32_t index, Frame speech_end, bool kept) {
  const auto found = waiting_.find(index);
  if (found == waiting_.end() || found->second.end) return;
  found->second.end = speech_end;
  found->second.kept = kept;
}

void NoteDialogue::text_arrived(std::uint32_t index, const SegmentText& text, std::vector<Output>& out) {
  const auto found = waiting_.find(index);
  if (found != waiting_.end() && !found->second.text) {
    found->second.text = text.success ? text : SegmentText{.success = false};
  }
  advance(out);
}

void NoteDialogue::revise(std::uint32_t index, const SegmentText& later) {
  const auto found = waiting_.find(index);
  if (found != waiting_.end()) found->second.later = later;
}

void NoteDialogue::audio_time(Frame now, std::vector<Output>& out) {
  opened_until_ = std::max(opened_until_, now - frames(kReportDelaySec));
  advance(out);
}

void NoteDialogue::recording_stopped(Frame /*end*/, std::vector<Output>& out) {
  opened_until_ = std::numeric_limits<Frame>::max();
  advance(out);
}

void NoteDialogue::complete(Frame /*now*/, std::vector<Output>& out) {
  completions_.push_back(opened_);
  advance(out);
}

std::string NoteDialogue::title() const {
  return note_ ? note_->title : std::string();
}

std::string NoteDialogue::body() const {
  std::string text;
  if (!note_) return text;
  for (const auto& part : note_->body) {
    if (part.text.empty()) continue;
    if (!text.empty()) text += ' ';
    text += part.text;
  }
  return text;
}

/// Processes the timeline as far as it is certain: silences that ran out, completions, segments with their texts.
void NoteDialogue::advance(std::vector<Output>& out) {
  while (!finished_) {
    if (note_ && silence_ran_out()) {
      if (note_->waits_for_title) {
        note_->waits_for_title = false;
        note_->wait_from += frames(settings_.title_wait_sec);
      } else {
        end_note(false, out);
      }
      continue;
    }
    const auto next = waiting_.begin();
    if (!completions_.empty() && (next == waiting_.end() || next->first >= completions_.front())) {
      completions_.pop_front();
      if (note_) end_note(false, out);
      continue;
    }
    if (next == waiting_.end() || !next->second.end || (next->second.kept && !next->second.text)) return;
    auto segment = waiting_.extract(next);
    if (segment.mapped().kept) read(segment.key(), std::move(segment.mapped()), out);
  }
  waiting_.clear();
  completions_.clear();
}

/// Whether the note has waited long enough for the next segment, as far as the next one is known to start later.
bool NoteDialogue::silence_ran_out() const {
  const bool spoken = !note_->waits_for_title && !note_->body.empty();
  const Frame last_start = note_->wait_from + frames(spoken ? settings_.end_silence_sec : settings_.title_wait_sec);
  return (waiting_.empty() ? opened_until_ : waiting_.begin()->second.start) > last_start;
}

void NoteDialogue::read(std::uint32_t index, Segment segment, std::vector<Output>& out) {
  auto matches = commands_in(segment);
  if (segment.later) {
    Segment later = segment;
    later.text = segment.later;
    auto found = commands_in(later);
    if (std::ranges::equal(found, matches, {}, &PhraseMatch::command, &PhraseMatch::command)) {
      matches = std::move(found);
      segment = std::move(later);
    }
  }
  const std::string_view text = segment.text->text;
  if (matches.empty()) return take_content(index, segment, text, false, out);
  std::size_t at = 0;
  bool behind_start = false;
  for (std::size_t i = 0; i < matches.size() && !finished_; ++i) {
    const auto& match = matches[i];
    if (match.begin > at) take_content(index, segment, text.substr(at, match.begin - at), behind_start, out);
    if (!note_ && matches.front().begin == 0) report_without_note(match, index, out);
    apply(match.command, index, segment, out);
    behind_start = match.command == NoteCommand::start;
    at = match.end;
  }
  // What follows a start command in its own segment: the title, unless it is nothing but fillers.
  if (!finished_ && behind_start && at < text.size() && !matcher_.title(text.substr(at)).text.empty()) {
    take_content(index, segment, text.substr(at), true, out);
  }
}

/// What the text says, and what the engine spotted, or a second decoding confirmed, where the text sounds like it.
std::vector<PhraseMatch> NoteDialogue::commands_in(const Segment& segment) const {
  auto matches = matcher_.match(segment.text->text);
  if (segment.text->suspect) {
    std::erase_if(matches, [](const PhraseMatch& match) { return !match.word_for_word; });
    return matches;
  }
  for (const auto& spotted : without_overlaps(segment.text->phrases)) {
    const auto match = matcher_.locate(segment.text->text, spotted.phrase);
    if (!match) continue;
    if (match->command == NoteCommand::start) {
      if (spotted.start_frame > segment.start + frames(kAtBeginningSec)) continue;
      if (matches.empty() || matches.front().begin >= match->end) matches.insert(matches.begin(), *match);
    } else {
      if (spotted.end_frame < *segment.end - frames(kAtEndSec)) continue;
      if (matches.empty() || matches.back().end <= match->begin) matches.push_back(*match);
    }
  }
  return matches;
}

void NoteDialogue::take_content(std::uint32_t index, const Segment& segment, std::string_view text, bool behind_start,
                                std::vector<Output>& out) {
  if (!note_) return;
  if (note_->waits_for_title) {
    text = trimmed(take_title(index, segment, text, behind_start, out));
    if (text.empty()) return;
  }
  note_->body.push_back({index, std::string(trimmed(text))});
  note_->end = note_->wait_from = *segment.end;
}

/// Takes the title off the beginning of `text`, if it is there, and returns what follows it.
std::string_view NoteDialogue::take_title(std::uint32_t index, const Segment& segment, std::string_view text,
                                          bool behind_start, std::vector<Output>& out) {
  const bool passed_over = segment.text->success && (segment.text->suspect || !PhraseMatcher::has_words(text));
  if (passed_over) return {};
  note_->end = note_->wait_from = *segment.end;
  if (matcher_.only_introduces_title(text)) return {};
  note_->waits_for_title = false;
  if (!segment.text->success) return {};
  Title title =
      behind_start ? matcher_.title_in_one_breath(text, pauses_in(*segment.text, text)) : matcher_.title(text);
  note_->title = std::move(title.text);
  if (!note_->title.empty()) out.push_back(TitleCaptured{index, note_->title});
  return text.substr(title.end);
}

/// Where in `text`, a part of the segment's, words begin before which the speaker paused.
std::vector<std::size_t> NoteDialogue::pauses_in(const SegmentText& segment, std::string_view text) const {
  const std::string_view whole = segment.text;
  const auto offset = static_cast<std::size_t>(text.data() - whole.data());
  std::vector<std::size_t> pauses;
  std::size_t at = 0;
  const Word* before = nullptr;
  for (const Word& word : segment.words) {
    const auto found = whole.find(word.text, at);
    if (found == std::string_view::npos) continue;  // a fixed correction stands there
    const bool paused = before != nullptr && word.start_frame - before->end_frame >= frames(kPauseInBreathSec);
    if (paused && found >= offset) pauses.push_back(found - offset);
    at = found + word.text.size();
    before = &word;
  }
  return pauses;
}

void NoteDialogue::report_without_note(const PhraseMatch& match, std::uint32_t index, std::vector<Output>& out) const {
  const bool names_note = match.command == NoteCommand::end || match.command == NoteCommand::cancel;
  if (names_note && match.word_for_word) out.push_back(CommandDetected{index, match.command});
}

void NoteDialogue::apply(NoteCommand command, std::uint32_t index, const Segment& segment, std::vector<Output>& out) {
  switch (command) {
    case NoteCommand::start:
      if (note_) end_note(false, out);
      out.push_back(CommandDetected{index, command});
      note_ = Note{segment.start, *segment.end, *segment.end, true, {}, {}};
      return;
    case NoteCommand::stop:
      out.push_back(CommandDetected{index, command});
      if (note_) end_note(false, out);
      out.push_back(StopRequested{index});
      finished_ = true;
      return;
    case NoteCommand::complete:  // called by the application, never spoken
      return;
    case NoteCommand::end:
    case NoteCommand::cancel:
    case NoteCommand::scratch:
      break;
  }
  if (!note_) return;
  out.push_back(CommandDetected{index, command});
  note_->end = note_->wait_from = *segment.end;
  if (command != NoteCommand::scratch) {
    end_note(command == NoteCommand::cancel, out);
  } else if (!note_->body.empty()) {
    note_->body.pop_back();
  } else {
    note_->title.clear();
    note_->waits_for_title = true;
  }
}

void NoteDialogue::end_note(bool cancelled, std::vector<Output>& out) {
  NoteEnded ended{cancelled, note_->title.empty() ? kUntitled : note_->title, body(), {}, note_->start, note_->end};
  for (const auto& part : note_->body) {
    if (ended.segments.empty() || ended.segments.back() != part.segment) ended.segments.push_back(part.segment);
  }
  out.push_back(std::move(ended));
  note_.reset();
}

}  // namespace dictum::notes
