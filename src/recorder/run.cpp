#include "recorder/run.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/outcome.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
// Under the promised two seconds, so that what is left of a stop has its time too.
constexpr auto kStopBound = 1500ms;

// Jobs that a transcriber has at once: more than any pool has workers.
constexpr std::size_t kMostSubmitted = 256;
// Longer than any device may take to open.
constexpr auto kAnswerBound = 10s;

}  // namespace

Run::Run(Parts parts, std::function<void(const Event&)> publish, std::function<void()> changed)
    : parts_(std::move(parts)),
      publish_(std::move(publish)),
      changed_(std::move(changed)),
      core_(parts_.core, *parts_.clock),
      stop_bound_(parts_.executors.loop) {}

void Run::begin(const std::vector<EventError>& warnings) {
  input([warnings](RecorderCore& core, RecorderCore::Actions& actions) {
    core.start(actions);
    for (const EventError& warning : warnings) core.fault(warning.code, warning.message, true, actions);
  });
  auto backlog = std::make_shared<pipeline::Backlog>();
  auto sink = [self = shared_from_this(), backlog](std::vector<pipeline::StreamItem> items) {
    boost::asio::post(self->parts_.executors.disk, [self, backlog, items = std::move(items)]() mutable {
      auto faults = self->parts_.disk->write(items);
      boost::asio::post(
          self->parts_.executors.loop, [self, backlog, faults = std::move(faults), items = std::move(items)]() mutable {
            self->report(faults);
            self->hear(std::move(items));
            if (!backlog->arrived()) return;
            boost::asio::post(self->parts_.executors.listen, [capture = self->parts_.capture] { capture->go_on(); });
          });
      auto later = self->parts_.disk->tend();
      if (later.empty()) return;
      boost::asio::post(self->parts_.executors.loop, [self, later = std::move(later)] { self->report(later); });
    });
  };
  boost::asio::post(parts_.executors.listen, [capture = parts_.capture, sink = std::move(sink), backlog]() mutable {
    capture->run(std::move(sink), std::move(backlog));
  });
}

void Run::resume_session(const std::vector<Event>& journal, Redo redo) {
  files_complete_ = true;
  input([journal, redo](RecorderCore& core, RecorderCore::Actions& actions) { core.resume(journal, redo, actions); });
  if (parts_.transcriber) parts_.transcriber->audio_time(kEndOfAudio);
}

void Run::stop() {
  if (stopping_ || files_complete_) return;
  stopping_ = true;
  input([](RecorderCore& core, RecorderCore::Actions& actions) { core.request_stop(actions); });
  boost::asio::post(parts_.executors.listen, [capture = parts_.capture] { capture->stop(); });
  stop_bound_.expires_after(kStopBound);
  stop_bound_.async_wait([weak = weak_from_this()](const auto& error) {
    const auto self = weak.lock();
    if (self && !error) self->force_close();
  });
}

void Run::force_close() {
  if (files_complete_) return;
  abandoned_ = untold_abandonment_ = true;
  files_complete_ = true;
  input([](RecorderCore& core, RecorderCore::Actions& actions) {
    pipeline::Closed closed;
    closed.failure = EventError{to_string(Errc::timed_out),
                                "The audio device or the disk did not answer in time and was left behind. What was "
                                "recorded is in the session; `dictum resume` completes it."};
    core.hear(closed, actions);
  });
}

void Run::pause(detail::Completion done) {
  ask_capture(&pipeline::CaptureLoop::pause, std::move(done));
}

void Run::resume(detail::Completion done) {
  ask_capture(&pipeline::CaptureLoop::resume, std::move(done));
}

void Run::ask_capture(detail::Outcome (pipeline::CaptureLoop::*question)(), detail::Completion done) {
  struct Question {
    detail::Completion done;  // empty once it is answered
    boost::asio::steady_timer bound;
    void answer(detail::Outcome outcome) {
      bound.cancel();
      if (auto told = std::exchange(done, nullptr)) told(std::move(outcome));
    }
  };
  auto asked =
      std::make_shared<Question>(std::move(done), boost::asio::steady_timer(parts_.executors.loop, kAnswerBound));
  asked->bound.async_wait([asked](const auto& error) {
    if (error) return;
    asked->answer(
        {make_error_code(Errc::timed_out), "The audio device, or the disk, does not answer: stop the recording."});
  });
  // The answer comes by the disk, as what capture has to say does: so it comes after that, and the state has changed.
  boost::asio::post(parts_.executors.listen, [question, asked, capture = parts_.capture, executors = parts_.executors] {
    boost::asio::post(executors.disk, [asked, loop = executors.loop, outcome = (capture.get()->*question)()] {
      boost::asio::post(loop, [asked, outcome] { asked->answer(outcome); });
    });
  });
}

void Run::set_muted(bool muted) {
  input([muted](RecorderCore& core, RecorderCore::Actions& actions) { core.set_muted(muted, actions); });
  boost::asio::post(parts_.executors.listen, [capture = parts_.capture, muted] { capture->set_muted(muted); });
}

void Run::set_device(const std::string& device) {
  if (!parts_.capture) return;
  boost::asio::post(parts_.executors.listen, [capture = parts_.capture, device] { capture->set_device(device); });
}

void Run::input(std::function<void(RecorderCore&, RecorderCore::Actions&)> give) {
  inputs_.push_back(std::move(give));
  if (std::exchange(handling_, true)) return;
  while (!inputs_.empty()) {
    const auto next = std::move(inputs_.front());
    inputs_.pop_front();
    RecorderCore::Actions actions;
    next(core_, actions);
    carry_out(actions);
  }
  handling_ = false;
  changed_();
}

void Run::hear(std::vector<pipeline::StreamItem> items) {
  if (abandoned_) return;
  for (const pipeline::StreamItem& item : items) {
    input([item](RecorderCore& core, RecorderCore::Actions& actions) { core.hear(item, actions); });
    if (parts_.transcriber) preview(item);
    if (const auto* progress = std::get_if<pipeline::Progress>(&item)) tell_transcriber(progress->now);
    if (std::holds_alternative<pipeline::Closed>(item)) {
      stop_bound_.cancel();
      tell_transcriber(kEndOfAudio);
      to_disk([](DiskStage& disk) { return disk.capture_ended(); }, [this] { files_complete_ = true; });
      if (!stopping_) {  // it ended by itself
        stopping_ = true;
        boost::asio::post(parts_.executors.listen, [capture = parts_.capture] { capture->stop(); });
      }
    }
  }
}

void Run::tell_transcriber(Frame now) {
  if (parts_.transcriber) guarded([&] { parts_.transcriber->audio_time(now); });
}

/// The transcriber may be the user's own; what it throws must not end the program.
template <class Call>
std::optional<EventError> Run::guarded(Call call) {
  try {
    call();
    return std::nullopt;
  } catch (...) {
    EventError error = error_of_current_exception();
    if (!std::exchange(transcriber_threw_, true)) report({error});
    return error;
  }
}

void Run::preview(const pipeline::StreamItem& item) {
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) {
    growing_ = TranscriptionJob{.session = parts_.core.session,
                                .segment_index = opened->index,
                                .wav_path = path() / session::SessionWriter::segment_file(opened->index),
                                .start_frame = opened->kept_start,
                                .end_frame = opened->kept_start,
                                .sample_rate = parts_.core.sample_rate,
                                .language = parts_.core.language,
                                .phrases = {}};
    next_preview_ = opened->kept_start + parts_.core.sample_rate;
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    growing_.reset();
    guarded([&] { parts_.transcriber->end_preview(closed->index); });
  } else if (const auto* progress = std::get_if<pipeline::Progress>(&item)) {
    if (!growing_ || progress->now < next_preview_) return;
    next_preview_ = progress->now + parts_.core.sample_rate / 5;  // the transcriber decides how often it is worth it
    growing_->end_frame = progress->now;
    guarded([&] { parts_.transcriber->preview(*growing_); });
  }
}

void Run::carry_out(RecorderCore::Actions& actions) {
  std::vector<Event> to_journal;
  for (Action& action : actions) {
    if (auto* emit = std::get_if<Emit>(&action)) {
      publish_(emit->event);
      if (!emit->event.is_ephemeral()) to_journal.push_back(std::move(emit->event));
    } else if (auto* job = std::get_if<Transcribe>(&action)) {
      transcribe(*job);
    } else if (const auto* silence = std::get_if<SetMinSilence>(&action)) {
      boost::asio::post(parts_.executors.listen,
                        [capture = parts_.capture, ms = silence->ms] { capture->set_min_silence_ms(ms); });
    } else {
      boost::asio::post(parts_.executors.loop, [self = shared_from_this()] { self->stop(); });
    }
  }
  if (to_journal.empty()) return;
  to_disk([events = std::move(to_journal)](DiskStage& disk) { return disk.record(events); });
}

void Run::transcribe(Transcribe action) {
  if (!parts_.transcriber) return;
  waiting_.push_back(action.segment);
  submit_next();
}

void Run::submit_next() {
  if (waiting_.empty() || submitted_ >= (parts_.in_background ? 1 : kMostSubmitted)) return;
  const std::uint32_t segment = waiting_.front();
  waiting_.pop_front();
  ++submitted_;
  const Transcriber::Done done = [weak = weak_from_this(), loop = parts_.executors.loop,
                                  segment](TranscriptionOutcome outcome) {
    // Inline where we are on the loop already, so that a transcriber that answers by the audio clock is heard at
    // that very moment of it.
    boost::asio::dispatch(loop, [weak, segment, outcome = std::move(outcome)] {
      const auto self = weak.lock();
      if (!self || self->transcription_abandoned_ || !self->core_.waits_for(segment)) return;
      --self->submitted_;
      self->input([segment, outcome](RecorderCore& core, RecorderCore::Actions& actions) {
        core.transcribed(segment, outcome, actions);
      });
      self->submit_next();
    });
  };
  TranscriptionOutcome thrown;
  thrown.error = guarded([&] { parts_.transcriber->transcribe(core_.job(segment), done); });
  if (thrown.error) done(std::move(thrown));
}

void Run::end_drain() {
  if (std::exchange(drain_over_, true) || finishing_) return;
  input([](RecorderCore& core, RecorderCore::Actions& actions) { core.tell_left_over(actions); });
}

void Run::abandon_transcription() {
  transcription_abandoned_ = true;
  if (parts_.transcriber && parts_.owns_transcriber) parts_.transcriber->abandon();
  changed_();
}

bool Run::revises_notes() {
  if (revising_notes_) return true;
  if (abandoned_ || !core_.take_text_revisions()) return false;
  revising_notes_ = true;
  boost::asio::post(parts_.executors.disk, [self = shared_from_this()] {
    auto revised = self->parts_.disk->revised_notes(self->parts_.core.phrases);
    boost::asio::post(self->parts_.executors.loop, [self, revised = std::move(revised)] {
      self->revising_notes_ = false;
      self->input([revised](RecorderCore& core, RecorderCore::Actions& actions) {
        for (const auto& [frame, note] : revised) core.note_revised(frame, note, actions);
      });
    });
  });
  return true;
}

void Run::finish() {
  if (parts_.transcriber && parts_.owns_transcriber) guarded([this] { parts_.transcriber->abandon(); });
  if (abandoned_) {  // the disk strand may never come to it
    finished_ = true;
    changed_();
    return;
  }
  to_disk([](DiskStage& disk) { return disk.finish(); }, [this] { finished_ = true; });
  boost::asio::post(parts_.executors.disk, [disk = parts_.disk] { disk->tell_index(); });
}

void Run::to_disk(std::function<std::vector<EventError>(DiskStage&)> write, std::function<void()> then) {
  boost::asio::post(
      parts_.executors.disk, [self = shared_from_this(), write = std::move(write), then = std::move(then)]() mutable {
        auto faults = write(*self->parts_.disk);
        if (faults.empty() && !then) return;
        boost::asio::post(self->parts_.executors.loop, [self, faults = std::move(faults), then = std::move(then)] {
          self->report(faults);
          if (!then) return;
          then();
          self->changed_();
        });
      });
}

void Run::report(const std::vector<EventError>& faults) {
  for (const EventError& fault : faults) {
    input([fault](RecorderCore& core, RecorderCore::Actions& actions) {
      core.fault(fault.code, fault.message, true, actions);
    });
  }
}

}  // namespace dictum::recorder
