#include "recorder/recorder_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/invariant.hpp"
#include "base/overloaded.hpp"
#include "base/slug.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "recorder/note_replay.hpp"

namespace dictum::recorder {
namespace {

// "0, 3-7, 9": ten thousand numbers fit in a short message.
std::string ranges_of(std::ranges::input_range auto ascending) {
  std::string text;
  for (auto at = ascending.begin(); at != ascending.end();) {
    const auto first = *at;
    auto last = first;
    while (++at != ascending.end() && *at == last + 1) last = *at;
    if (!text.empty()) text += ", ";
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

}  // namespace

RecorderCore::RecorderCore(Settings settings, const Clock& clock)
    : settings_(std::move(settings)),
      clock_(clock),
      mode_(settings_.mode),
      vocabulary_(settings_.vocabulary),
      replacements_(settings_.replacements),
      language_(settings_.language),
      dialogue_({.sample_rate = settings_.sample_rate, .phrases = settings_.phrases}),
      commands_(dialogue_.commands()) {}

// --- Inputs from the caller's side -----------------------------------------------------------------------------------

void RecorderCore::start(Actions& actions) {
  change_state(RecordingState::recording, actions);
  emit(now_, VADModeChanged{mode_, silence_of(mode_)}, actions);
}

void RecorderCore::request_stop(Actions& actions) {
  if (state_ == RecordingState::stopping || capture_closed_) return;
  change_state(RecordingState::stopping, actions);
}

void RecorderCore::set_mode(VADMode mode, Actions& actions) {
  if (mode == mode_ || capture_closed_) return;
  mode_ = mode;
  actions.emplace_back(SetMinSilence{silence_of(mode)});
  emit(now_, VADModeChanged{mode, silence_of(mode)}, actions);
}

void RecorderCore::set_muted(bool muted, Actions& actions) {
  if (muted == muted_ || capture_closed_) return;
  muted_ = muted;
  change_state(state_, actions);
}

void RecorderCore::set_vocabulary(std::vector<std::string> vocabulary, Actions& actions) {
  vocabulary_ = std::move(vocabulary);
  renew_early(actions);
}

void RecorderCore::complete_note(Actions& actions) {
  if (capture_closed_ || !newest_segment_) return;
  // For whoever reads the journal again: emitted at once, since it is not known yet whether a note is open.
  emit(now_, NoteCommandDetected{*newest_segment_, NoteCommand::complete}, actions);
  std::vector<notes::Output> outputs;
  dialogue_.complete(note_time(now_), outputs);
  emit_notes(outputs, actions);
}

void RecorderCore::retry_failed(Actions& actions) {
  for (Segment& segment : segments_) {
    if (!segment.failed || segment.pending_since) continue;
    segment.failed = false;
    submit(segment, actions);
  }
}

// --- Inputs from the parts -------------------------------------------------------------------------------------------

void RecorderCore::process(const pipeline::StreamItem& item, Actions& actions) {
  std::visit(Overloaded{
                 [&](const vad::SegmentOpened& segment) { on_segment_opened(segment, actions); },
                 [&](const vad::SegmentClosed& segment) { on_segment_closed(segment, actions); },
                 [&](const pipeline::SegmentAudio&) {},
                 [&](const pipeline::SpeechPaused& speech) { on_speech_paused(speech, actions); },
                 [&](const pipeline::SpeechResumed& speech) { on_speech_resumed(speech, actions); },
                 [&](const pipeline::TimelineAudio&) {},
                 [&](const pipeline::Probabilities&) {},
                 [&](const pipeline::Progress& progress) {
                   now_ = std::max(now_, progress.now);
                   advance_notes(now_, actions);
                 },
                 [&](const pipeline::GapEnded& gap) {
                   now_ = std::max(now_, gap.start_frame + gap.frames);
                   gap_frames_ += gap.frames;
                   if (gap.reason == GapReason::paused) paused_frames_ += gap.frames;
                   emit(now_, AudioGap{gap.start_frame, gap.frames, gap.reason}, actions);
                 },
                 [&](const pipeline::Level& level) { emit(level.now, level.level, actions); },
                 [&](const SourceDevice& device) { emit(now_, DeviceChanged{device.device, device.reason}, actions); },
                 [&](const SourceFault& failed) { fault(failed.code, failed.message, failed.recoverable, actions); },
                 [&](const pipeline::EndReached& end) {
                   now_ = std::max(now_, end.now);
                   request_stop(actions);
                 },
                 [&](const pipeline::Paused& paused) {
                   now_ = std::max(now_, paused.now);
                   change_state(RecordingState::paused, actions);
                 },
                 [&](const pipeline::Resumed& resumed) {
                   now_ = std::max(now_, resumed.now);
                   change_state(RecordingState::recording, actions);
                 },
                 [&](const pipeline::Closed& end) { on_capture_closed(end, actions); },
             },
             item);
}

void RecorderCore::on_capture_closed(const pipeline::Closed& end, Actions& actions) {
  now_ = std::max(now_, end.now);
  capture_closed_ = true;
  const bool is_long_enough = end.captured >= settings_.sample_rate && !end.failure;
  if (is_long_enough && !newest_segment_) report_no_speech(end.peak_dbfs, actions);
  std::vector<notes::Output> outputs;
  dialogue_.recording_stopped(note_time(now_), outputs);
  if (end.failure) fault(end.failure->code, end.failure->message, false, actions);
  change_state(end.failure ? RecordingState::failed : RecordingState::idle, actions);
  emit_notes(outputs, actions);
  invariant(end.failure || end.now == end.captured + gap_frames_,
            "the end of a recording is what was captured and its gaps");
}

void RecorderCore::on_segment_opened(const vad::SegmentOpened& segment, Actions& actions) {
  invariant(!segment_is_open_ && segment.index == (newest_segment_ ? *newest_segment_ + 1 : 0),
            "segments begin one after the other, in order of their numbers");
  segment_is_open_ = true;
  now_ = std::max(now_, segment.speech_start);
  newest_segment_ = segment.index;
  if (settings_.transcribes) dialogue_.segment_opened(segment.index, note_time(segment.speech_start));
  emit(segment.speech_start, SpeechDetected{segment.index, segment.kept_start}, actions);
  if (settings_.transcribes) actions.emplace_back(WarmUp{});
}

void RecorderCore::on_speech_paused(const pipeline::SpeechPaused& speech, Actions& actions) {
  if (!settings_.transcribes || !should_begin_early()) return;
  early_ = speech;
  actions.emplace_back(BeginEarly{speech.index});
}

void RecorderCore::on_speech_resumed(const pipeline::SpeechResumed& speech, Actions& actions) {
  if (!early_ || early_->index != speech.index) return;
  actions.emplace_back(CancelEarly{speech.index});
  early_.reset();
}

/// What a job says has changed: the early one must be what the final one will be.
void RecorderCore::renew_early(Actions& actions) {
  if (early_) actions.emplace_back(BeginEarly{early_->index});
}

/// A text that takes longer than the rest of the silence would be begun in vain in each pause of the speaker.
bool RecorderCore::should_begin_early() const {
  switch (settings_.eagerness) {
    case Eagerness::always:
      return true;
    case Eagerness::never:
      return false;
    case Eagerness::automatic:
      break;
  }
  const auto silence = std::chrono::milliseconds(silence_of(mode_));
  return !processing_time_ || *processing_time_ <= silence - vad::kRecognisedSilence;
}

void RecorderCore::on_segment_closed(const vad::SegmentClosed& segment, Actions& actions) {
  invariant(segment_is_open_ && newest_segment_ == segment.index, "a segment ends once, and after it began");
  segment_is_open_ = false;
  const double duration = static_cast<double>(segment.kept_end - segment.kept_start) / settings_.sample_rate;
  SpeechEnded ended{segment.index, duration, segment.kept, segment.kept_start, segment.kept_end};
  // The segmenter's one reason; the disk leaves nothing of one that it could not keep.
  const bool has_audio = segment.kept_end > segment.kept_start;
  if (!segment.kept) ended.discard_reason = has_audio ? DiscardReason::too_short : DiscardReason::no_audio;
  emit(segment.speech_end, ended, actions);
  if (!settings_.transcribes) return;
  const auto early = std::exchange(early_, std::nullopt);
  dialogue_.segment_closed(segment.index, note_time(segment.speech_end), segment.kept);
  if (!segment.kept) {
    if (early) actions.emplace_back(CancelEarly{early->index});
    advance_notes(now_, actions);
    return;
  }
  keep(segment.index, segment.kept_start, segment.kept_end, segment.speech_end);
  const bool is_final = early && early->index == segment.index && early->kept_start == segment.kept_start &&
                        early->audio_end == segments_.back().audio_end;
  if (early && !is_final) actions.emplace_back(CancelEarly{early->index});
  emit(segment.kept_end, TranscriptionQueued{segment.index, wav_path(segment.index)}, actions);
  submit(segments_.back(), actions);
}

void RecorderCore::transcribed(std::uint32_t index, const TranscriptionOutcome& outcome, Actions& actions) {
  Segment* const found = find(index);
  if (found == nullptr || !found->pending_since) return;
  // Which texts come before the decision on the language must not depend on which worker was quicker.
  if (language_.is_undecided() && !outcome.language.empty() && !is_first_pending(index)) {
    waiting_answers_.try_emplace(index, outcome);
    return;
  }
  take_text(*found, outcome, actions);
  while (!waiting_answers_.empty() &&
         !(language_.is_undecided() && !is_first_pending(waiting_answers_.begin()->first))) {
    take_waiting_answer(actions);
  }
}

/// The first of the texts that wait for others.
void RecorderCore::take_waiting_answer(Actions& actions) {
  const auto answer = waiting_answers_.extract(waiting_answers_.begin());
  Segment* const segment = find(answer.key());
  if (segment != nullptr && segment->pending_since) take_text(*segment, answer.mapped(), actions);
}

bool RecorderCore::is_first_pending(std::uint32_t index) const {
  const auto first =
      std::ranges::find_if(segments_, [](const Segment& segment) { return segment.pending_since.has_value(); });
  return first != segments_.end() && first->index == index;
}

bool RecorderCore::is_in_another_language(const Segment& segment, const TranscriptionOutcome& outcome) const {
  return language_.is_automatic() && !language_.is_undecided() && !segment.language_corrected && !outcome.error &&
         !outcome.language.empty() && outcome.language != language_.language();
}

/// The text decides the language, if it and the one before agree. Those before that are in another are asked for again.
void RecorderCore::choose_language(const TranscriptionOutcome& outcome, Frame frame, Actions& actions) {
  if (outcome.error || outcome.suspect || outcome.text.empty() || !language_.add(outcome.language)) return;
  emit(frame, TranscriptionLanguageChosen{language_.language()}, actions);
  renew_early(actions);
  for (Segment& segment : segments_) {
    if (segment.pending_since || segment.failed || segment.edited || segment.language.empty()) continue;
    if (segment.language != language_.language()) ask_again(segment, actions);
  }
}

void RecorderCore::ask_again(Segment& segment, Actions& actions) {
  segment.language_corrected = true;
  submit(segment, actions);
}

void RecorderCore::take_text(Segment& segment, const TranscriptionOutcome& written, Actions& actions) {
  const std::uint32_t index = segment.index;
  invariant(segment.pending_since && pending_ > 0, "a text arrives for a segment that waits for one");
  segment.pending_since.reset();
  --pending_;
  if (!written.error) processing_time_ = written.processing_time;
  if (is_in_another_language(segment, written)) {
    ask_again(segment, actions);
    return;
  }
  TranscriptionOutcome outcome = written;
  std::vector<Replacement> replaced = replacements_.apply(outcome);
  segment.failed = outcome.error.has_value();
  if (!segment.failed) segment.language = outcome.language;
  ++completed_;
  emit(segment.end_frame,
       TranscriptionComplete{.segment_index = index,
                             .text = outcome.text,
                             .success = !outcome.error,
                             .error = outcome.error,
                             .processing_time_sec = outcome.processing_time.count(),
                             .words = outcome.words,
                             .no_speech_probability = outcome.no_speech_probability,
                             .suspect = outcome.suspect,
                             .revision = segment.next_revision++,
                             .phrases = outcome.phrases,
                             .suspect_reason = outcome.suspect_reason,
                             .annotations = outcome.annotations,
                             .engine = outcome.engine,
                             .model = outcome.model,
                             .language = outcome.language,
                             .replacements = std::move(replaced)},
       actions);
  if (segment.next_revision == 1) {  // what was said is what the first result says; a revision corrects the text only
    std::vector<notes::Output> outputs;
    dialogue_.text_arrived(index, {!outcome.error, outcome.text, outcome.phrases, outcome.suspect, outcome.words},
                           outputs);
    emit_notes(outputs, actions);
  } else if (!outcome.error) {
    texts_were_revised_ = true;
  }
  choose_language(outcome, segment.end_frame, actions);
  emit_queue_status(actions);
}

void RecorderCore::partial(const std::string& session, std::uint32_t segment, std::string text,
                           std::size_t stable_chars, Actions& actions) {
  const bool is_spoken = segment_is_open_ && newest_segment_ == segment && !capture_closed_;
  if (session != settings_.session || !(is_spoken || is_pending(segment))) return;
  emit(now_, TranscriptionPartial{segment, std::move(text), stable_chars}, actions);
}

void RecorderCore::worker_changed(WorkerStatus status, Actions& actions) {
  if (capture_closed_) return;  // after `idle` or `failed` only transcription, note and fault events may follow
  emit(now_, std::move(status), actions);
}

void RecorderCore::fault(std::string code, std::string message, bool recoverable, Actions& actions) {
  emit(now_, RecorderFault{std::move(code), std::move(message), recoverable}, actions);
}

void RecorderCore::report_pending(Actions& actions) {
  while (!waiting_answers_.empty()) take_waiting_answer(actions);
  if (pending_ == 0) return;
  const auto left = segments_ |
                    std::views::filter([](const Segment& segment) { return segment.pending_since.has_value(); }) |
                    std::views::transform(&Segment::index);
  fault(to_string(Errc::timed_out),
        fmt::format("{} {} still to be transcribed ({}): the next start, or `dictum resume`, goes on with it.",
                    pending_, pending_ == 1 ? "segment is" : "segments are", ranges_of(left)),
        true, actions);
}

void RecorderCore::resume(const std::vector<Event>& journal, Redo redo, Actions& actions) {
  NoteReplay notes(dialogue_);
  std::vector<notes::Output> outputs;
  std::set<std::uint32_t> queued;
  std::size_t late_notes = 0;
  for (const Event& event : journal) {  // first: a recovery may have found the end of a segment behind its text
    if (const auto* speech = std::get_if<SpeechEnded>(&event.body); speech != nullptr && speech->kept) {
      keep(speech->segment_index, speech->start_frame, speech->end_frame, event.frame);
    }
  }
  for (const Event& event : journal) {
    sequence_ = std::max(sequence_, event.sequence.value_or(0) + 1);
    now_ = std::max(now_, event.frame);
    notes.apply(event, outputs);
    replay(event.body, queued, late_notes);
  }
  capture_closed_ = true;
  state_ = RecordingState::idle;
  paused_frames_ = notes.paused_frames();
  notes.end(outputs);
  emit_notes(outputs, actions);
  notes_ += static_cast<std::uint32_t>(late_notes);
  for (Segment& segment : segments_) {
    if (queued.contains(segment.index) && segment.next_revision == 0) submit(segment, actions);
  }
  if (redo == Redo::failed) retry_failed(actions);
  if (redo == Redo::everything || redo == Redo::everything_and_edits) transcribe_again(queued, redo, actions);
}

/// What an event of the journal means for texts and notes. `queued`: segments whose texts were asked for.
void RecorderCore::replay(const EventBody& body, std::set<std::uint32_t>& queued, std::size_t& late_notes) {
  std::visit(Overloaded{
                 [&](const TranscriptionQueued& job) { queued.insert(job.segment_index); },
                 [&](const TranscriptionComplete& complete) {
                   Segment* const segment = find(complete.segment_index);
                   if (segment == nullptr) return;
                   segment->next_revision = complete.revision + 1;
                   segment->failed = !complete.success;
                   if (complete.success) segment->edited = complete.edited;
                   if (complete.success) segment->language = complete.language;
                   texts_were_revised_ = texts_were_revised_ || (complete.revision > 0 && complete.success);
                 },
                 [&](const VADModeChanged& changed) { mode_ = changed.mode; },
                 [&](const TranscriptionLanguageChosen& chosen) { language_.decide(chosen.language); },
                 [&](const NoteCommandDetected& said) {
                   if (said.command != NoteCommand::complete) ++notes_to_skip_;
                 },
                 [&](const NoteTitleCaptured&) { ++notes_to_skip_; },
                 [&](const NoteCompleted& note) {
                   if (note.revision > 0) return;
                   ++(note.late ? late_notes : notes_to_skip_);
                 },
                 [&](const NoteCancelled&) { ++notes_to_skip_; },
                 [](const auto&) {},
             },
             body);
}

/// Every kept segment, in order; those of a session that was not transcribed are queued first.
void RecorderCore::transcribe_again(const std::set<std::uint32_t>& queued, Redo redo, Actions& actions) {
  for (Segment& segment : segments_) {
    if (segment.pending_since || (segment.edited && redo != Redo::everything_and_edits)) continue;
    if (!queued.contains(segment.index)) {
      emit(segment.end_frame, TranscriptionQueued{segment.index, wav_path(segment.index)}, actions);
    }
    submit(segment, actions);
  }
}

void RecorderCore::report_no_speech(double peak_dbfs, Actions& actions) {
  constexpr double kDigitalSilence = -100;  // no 16-bit sample lies between that and 0
  constexpr double kQuiet = -40;
  const char* advice = "If there is speech, it is too weak or too much covered for the detector: lower its threshold.";
  if (peak_dbfs < kDigitalSilence) {
    advice = "The input is digital silence: it is muted, or another device is meant.";
  } else if (peak_dbfs < kQuiet) {
    advice = "The input is very quiet: raise its volume, come nearer, or lower the detector's threshold.";
  }
  fault("no_speech", fmt::format("No speech found; peak {:.0f} dBFS. {}", peak_dbfs, advice), true, actions);
}

// --- Notes -----------------------------------------------------------------------------------------------------------

void RecorderCore::advance_notes(Frame now, Actions& actions) {
  std::vector<notes::Output> outputs;
  dialogue_.audio_time(note_time(now), outputs);
  emit_notes(outputs, actions);
}

void RecorderCore::emit_notes(const std::vector<notes::Output>& outputs, Actions& actions) {
  // A note event stands where the words that caused it ended, not where the recording had come to when their text
  // arrived, so that a slow recogniser gives the same events.
  const auto end_of = [&](std::uint32_t index) {
    const Segment* const segment = find(index);
    return segment == nullptr ? now_ : segment->end_frame;
  };
  const auto emit_new = [&](Frame frame, EventBody body) {
    if (notes_to_skip_ > 0) {
      --notes_to_skip_;
    } else {
      emit(frame, std::move(body), actions);
    }
  };
  for (const auto& output : outputs) {
    std::visit(Overloaded{
                   [&](const notes::CommandDetected& said) {
                     emit_new(end_of(said.segment), NoteCommandDetected{said.segment, said.command});
                   },
                   [&](const notes::TitleCaptured& captured) {
                     emit_new(end_of(captured.segment), NoteTitleCaptured{captured.segment, captured.title});
                   },
                   [&](const notes::NoteEnded& note) {
                     const Frame end = note.segments.empty() ? note.end_frame : end_of(note.segments.back());
                     const auto path =
                         settings_.session_path / "notes" / fmt::format("{:04}-{}.md", ++notes_, note_slug(note.title));
                     if (note.cancelled) {
                       emit_new(end, NoteCancelled{note.title, note.text, note.segments, path.string()});
                     } else {
                       emit_new(end, NoteCompleted{note.title, note.text, note.segments, path.string()});
                     }
                   },
                   [&](const notes::StopRequested&) {
                     if (!capture_closed_) actions.emplace_back(StopCapture{});
                   },
               },
               output);
  }
}

void RecorderCore::note_revised(Frame frame, NoteCompleted note, Actions& actions) {
  emit(frame, std::move(note), actions);
}

// --- Segments, jobs and events ---------------------------------------------------------------------------------------

const RecorderCore::Segment* RecorderCore::find(std::uint32_t index) const {
  const auto found = std::ranges::lower_bound(segments_, index, {}, &Segment::index);
  return found != segments_.end() && found->index == index ? &*found : nullptr;
}

RecorderCore::Segment* RecorderCore::find(std::uint32_t index) {
  return const_cast<Segment*>(std::as_const(*this).find(index));
}

/// Segments come in order; a recovery may have found one behind later ones. One that is known is not kept again.
void RecorderCore::keep(std::uint32_t index, Frame start_frame, Frame end_frame, Frame speech_end) {
  const auto place = std::ranges::lower_bound(segments_, index, {}, &Segment::index);
  if (place != segments_.end() && place->index == index) return;
  const Frame audio_end = std::min(vad::recognised_end(speech_end, settings_.sample_rate), end_frame);
  segments_.insert(place, {.index = index,
                           .start_frame = start_frame,
                           .end_frame = end_frame,
                           .audio_end = std::max(audio_end, start_frame),
                           .pending_since = {}});
}

void RecorderCore::submit(Segment& segment, Actions& actions) {
  if (!settings_.transcribes) return;  // a later retranscription does
  segment.pending_since = clock_.steady_now();
  ++pending_;
  const auto place = std::ranges::lower_bound(segments_, segment.index, {}, &Segment::index) - segments_.begin();
  first_pending_ = std::min(first_pending_, static_cast<std::size_t>(place));
  actions.emplace_back(Transcribe{segment.index});
  emit_queue_status(actions);
}

bool RecorderCore::is_pending(std::uint32_t index) const {
  const Segment* const segment = find(index);
  return segment != nullptr && segment->pending_since;
}

std::optional<TranscriptionJob> RecorderCore::job(std::uint32_t index) const {
  if (early_ && early_->index == index) {
    return job_of(index, early_->kept_start, early_->audio_end);
  }
  const Segment* const segment = find(index);
  if (segment == nullptr || !segment->pending_since) return std::nullopt;
  TranscriptionJob job = job_of(index, segment->start_frame, segment->audio_end);
  job.end_frame = segment->end_frame;
  return job;
}

TranscriptionJob RecorderCore::interim_job(std::uint32_t segment, Frame start_frame, Frame end_frame) const {
  TranscriptionJob job = job_of(segment, start_frame, end_frame);
  job.phrases.clear();
  job.audio_end_frame.reset();
  return job;
}

TranscriptionJob RecorderCore::job_of(std::uint32_t index, Frame start_frame, Frame audio_end) const {
  return {.session = settings_.session,
          .segment_index = index,
          .wav_path = wav_path(index),
          .start_frame = start_frame,
          .end_frame = audio_end,
          .sample_rate = settings_.sample_rate,
          .language = language_.language(),
          .phrases = commands_,
          .vocabulary = vocabulary_,
          .audio_end_frame = audio_end};
}

void RecorderCore::change_state(RecordingState state, Actions& actions) {
  state_ = state;
  emit(now_,
       RecordingStateChanged{.state = state,
                             .is_recording = state != RecordingState::idle && state != RecordingState::failed,
                             .is_paused = state == RecordingState::paused,
                             .is_muted = muted_},
       actions);
}

void RecorderCore::emit_queue_status(Actions& actions) {
  while (first_pending_ < segments_.size() && !segments_[first_pending_].pending_since) ++first_pending_;
  double oldest_sec = 0;
  if (pending_ > 0) {  // they are asked for in order, so the first has waited longest
    oldest_sec = std::chrono::duration<double>(clock_.steady_now() - *segments_[first_pending_].pending_since).count();
  }
  emit(now_, QueueStatus{pending_, completed_, oldest_sec}, actions);
}

void RecorderCore::emit(Frame frame, EventBody body, Actions& actions) {
  Event event{.session = settings_.session,
              .sequence = std::nullopt,
              .timestamp = timestamp_of(clock_.now()),
              .frame = frame,
              .body = std::move(body)};
  if (!event.is_ephemeral()) event.sequence = sequence_++;
  actions.emplace_back(Emit{std::move(event)});
}

int RecorderCore::silence_of(VADMode mode) const {
  return mode == VADMode::normal ? settings_.min_silence_ms : settings_.long_note_silence_ms;
}

std::string RecorderCore::wav_path(std::uint32_t segment) const {
  return (settings_.session_path / fmt::format("seg_{:04}.wav", segment)).string();
}

}  // namespace dictum::recorder
