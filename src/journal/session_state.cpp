#include "journal/session_state.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "dictum/text.hpp"

namespace dictum::journal {
namespace {

constexpr std::array kStatuses = {"recording", "queued", "done", "failed", "skipped", "discarded"};

/// Frames of a foreign journal can be any number.
Frame sum_of(Frame a, Frame b) {
  Frame sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<Frame>::max() : sum;
}

}  // namespace

std::string_view to_string(SegmentStatus status) noexcept {
  const auto index = static_cast<std::size_t>(status);
  return index < kStatuses.size() ? kStatuses[index] : "unknown";
}

std::optional<SegmentStatus> segment_status(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kStatuses, name);
  if (found == kStatuses.end()) return std::nullopt;
  return static_cast<SegmentStatus>(found - kStatuses.begin());
}

bool SessionState::apply(const Event& event) {
  note_position(event);
  return std::visit(Overloaded{
                        [&](const RecordingStateChanged& changed) {
                          if (!changed.is_recording) stopped_at = time_of(event.timestamp);
                          position.has_ended = !changed.is_recording;
                          return false;
                        },
                        [&](const VADModeChanged& changed) {
                          mode = changed.mode;
                          return false;
                        },
                        [&](const SpeechDetected& detected) {
                          add_segment(detected.segment_index, detected.start_frame, event.frame);
                          return false;
                        },
                        [&](const SpeechEnded& ended) {
                          // Of a damaged journal the line that opened it may be missing.
                          add_segment(ended.segment_index, ended.start_frame, ended.start_frame);
                          Segment* const segment = segment_at(ended.segment_index);
                          segment->start_frame = ended.start_frame;
                          segment->end_frame = ended.end_frame;
                          segment->speech_end_frame = event.frame;
                          if (!ended.kept) segment->status = SegmentStatus::discarded;
                          if (ended.kept && !transcribes) segment->status = SegmentStatus::skipped;
                          position.open_segments.erase(segment->index);
                          return false;
                        },
                        [&](const TranscriptionQueued& queued) {
                          Segment* const segment = segment_at(queued.segment_index);
                          if (segment != nullptr && segment->is_kept()) segment->status = SegmentStatus::queued;
                          return false;
                        },
                        [&](const TranscriptionComplete& complete) { return apply_result(complete); },
                        [&](const TranscriptionLanguageChosen& chosen) {
                          language = chosen.language;
                          return false;
                        },
                        [&](const AudioGap& gap) {
                          gaps.push_back({gap.start_frame, gap.frames, gap.reason});
                          return false;
                        },
                        [&](const NoteCompleted& note) {
                          const auto known = std::ranges::find(notes, note.path, &Note::path);
                          if (note.revision == 0 || known == notes.end()) {
                            notes.push_back({note.title, note.path, note.segments});
                          } else {
                            *known = {note.title, note.path, note.segments};
                          }
                          return false;
                        },
                        [](const auto&) { return false; },
                    },
                    event.body);
}

/// In order of the indexes, also where a recovery found it after later ones. Does nothing where it is known.
void SessionState::add_segment(std::uint32_t index, Frame start_frame, Frame speech_start_frame) {
  const auto place = std::ranges::lower_bound(segments, index, {}, &Segment::index);
  if (place != segments.end() && place->index == index) return;
  Segment segment;
  segment.index = index;
  segment.start_frame = segment.end_frame = start_frame;
  segment.speech_start_frame = segment.speech_end_frame = speech_start_frame;
  segment.mode = mode;
  segments.insert(place, std::move(segment));
  position.open_segments.insert(index);
}

void SessionState::note_position(const Event& event) {
  if (event.sequence) position.next_sequence = std::max(position.next_sequence, *event.sequence + 1);
  position.last_frame = std::max(position.last_frame, event.frame);
  std::visit(Overloaded{
                 [&](const AudioGap& gap) {
                   if (gap.reason == GapReason::paused)
                     position.paused_frames = sum_of(position.paused_frames, gap.frames);
                 },
                 [&](const NoteCommandDetected& said) {
                   if (said.command != NoteCommand::complete) ++position.note_events;
                 },
                 [&](const NoteTitleCaptured&) { ++position.note_events; },
                 [&](const NoteCompleted& note) {
                   if (note.revision == 0 && !note.late) ++position.note_events;
                 },
                 [&](const NoteCancelled&) { ++position.note_events; },
                 [](const auto&) {},
             },
             event.body);
}

bool SessionState::apply_result(const TranscriptionComplete& complete) {
  Segment* const segment = segment_at(complete.segment_index);
  if (segment == nullptr || complete.revision < 0) return false;
  if (complete.revision < std::numeric_limits<int>::max()) {
    segment->revisions = std::max(segment->revisions, complete.revision + 1);
  }
  if (complete.revision > 0 && complete.success) position.has_revised_text = true;
  if (complete.revision <= segment->revision) return false;
  // A later revision that failed takes nothing away.
  if (!complete.success && segment->status == SegmentStatus::done) return false;
  segment->revision = complete.revision;
  segment->text = complete.text;
  segment->error = complete.error;
  segment->edited = complete.edited;
  segment->engine = complete.engine;
  segment->model = complete.model;
  segment->language = complete.language;
  segment->status = complete.success ? SegmentStatus::done : SegmentStatus::failed;
  return true;
}

const Segment* SessionState::find(std::uint32_t index) const {
  const auto found = std::ranges::lower_bound(segments, index, {}, &Segment::index);
  return found != segments.end() && found->index == index ? &*found : nullptr;
}

Segment* SessionState::segment_at(std::uint32_t index) {
  return const_cast<Segment*>(std::as_const(*this).find(index));
}

Frame SessionState::gap_frames() const {
  Frame sum = 0;
  for (const Gap& gap : gaps) sum = sum_of(sum, gap.frames);
  return sum;
}

Frame SessionState::end_frame() const {
  Frame end = position.last_frame;
  for (const Segment& segment : segments) end = std::max(end, segment.end_frame);
  for (const Gap& gap : gaps) end = std::max(end, sum_of(gap.start_frame, gap.frames));
  return end;
}

bool SessionState::operator==(const SessionState& other) const {
  const auto stored = [](const SessionState& state) {
    return std::tie(state.transcribes, state.stopped_at, state.mode, state.gaps, state.segments, state.notes,
                    state.language);
  };
  return stored(*this) == stored(other);
}

}  // namespace dictum::journal
