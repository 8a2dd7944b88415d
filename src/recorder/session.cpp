#include "recorder/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/invariant.hpp"
#include "base/outcome.hpp"
#include "recorder/abandonment.hpp"

namespace dictum::recorder {
namespace {

constexpr std::chrono::seconds kMaxTranscriberCheck{10};

/// What an error of a worker that says that its settings are wrong is to the caller of the start.
Errc code_named(std::string_view name) {
  for (const Errc code : {Errc::model_missing, Errc::transcriber_missing, Errc::invalid_argument}) {
    if (name == to_string(code)) return code;
  }
  return Errc::config_invalid;
}

constexpr auto kDiskRetry = std::chrono::milliseconds(200);

RecorderError start_was_cancelled() {
  return {Errc::cancelled, "The start was cancelled."};
}

}  // namespace

RecorderError not_recording() {
  return {Errc::invalid_state, "Nothing is being recorded."};
}

/// What a start has opened so far; what is not taken over is closed again.
struct Session::OpenParts {
  RecorderConfig config;
  Preparation preparation;
  OpenCapture capture;
  SessionRunner transcriber;
  OnStrand<NewSession> files;
};

Session::Session(std::weak_ptr<SessionHost> host, const boost::asio::any_io_executor& loop, TimeSource time,
                 Visibility visibility)
    : host_(std::move(host)),
      time_(std::move(time)),
      visibility_(visibility),
      strands_{.loop = loop, .listen = {}, .disk = {}, .sync = {}, .work = {}},
      changed_(loop),
      limit_(time_.timers->make_timer(loop)),
      drain_(time_.timers->make_timer(loop)),
      answer_limit_(time_.timers->make_timer(loop)),
      retry_(time_.timers->make_timer(loop)) {}

// --- From the start to the end ---------------------------------------------------------------------------------------

boost::asio::awaitable<void> Session::record(Pointer previous) {
  previous_ = std::move(previous);
  while (previous_ && !previous_->lifecycle_.is_closed() && !lifecycle_.is_cancelled()) co_await previous_->changed();
  previous_.reset();
  apply(SessionInput::previous_closed);
  if (const std::exception_ptr failure = co_await try_to_open()) {
    fail_start(failure);
    co_return;
  }
  while (!lifecycle_.has_closed_capture()) co_await changed();
  co_await complete_files();
  co_await complete_texts();
  co_await deliver();
  co_await close_files();
  release();
}

boost::asio::awaitable<void> Session::resume(std::filesystem::path path, Redo redo,
                                             std::optional<SessionLifecycle::Time> drain_deadline) {
  ends_with_drain_ = true;
  if (drain_deadline) lifecycle_.limit_drain(*drain_deadline);
  apply(SessionInput::previous_closed);
  if (const std::exception_ptr failure = co_await try_to_reopen(std::move(path), redo)) {
    apply(SessionInput::open_failed);
    release();
    std::rethrow_exception(failure);
  }
  co_await complete_texts();
  co_await deliver();
  co_await close_files();
  release();
}

boost::asio::awaitable<std::exception_ptr> Session::try_to_open() {
  std::exception_ptr failure;
  try {
    OpenParts parts;
    co_await open(&parts);
    begin(parts);
    co_return nullptr;
  } catch (...) {
    failure = std::current_exception();
  }
  // What had been opened is being closed, each part on its strand: the start has failed once that is done.
  const auto nothing = [] { return true; };
  if (strands_.disk) co_await on(strands_.disk, nothing);
  if (strands_.listen) co_await on(strands_.listen, nothing);
  co_return failure;
}

boost::asio::awaitable<void> Session::open(OpenParts* into) {
  OpenParts& parts = *into;  // try_to_open's, which waits for this
  check_not_cancelled();
  const auto host = host_.lock();
  if (!host) throw start_was_cancelled();
  strands_ = host->strands();
  parts.config = host->config();
  host->state_changed(RecordingState::starting, {});

  const auto prepare_parts = [config = parts.config] { return prepare(config); };
  auto prepared = co_await on(strands_.listen, prepare_parts);
  check_not_cancelled();
  parts.preparation = *std::move(prepared);

  auto open_source = [config = parts.config, time = time_, listen = strands_.listen,
                      detector = std::move(parts.preparation.detector)]() mutable {
    return open_capture(config, time, std::move(detector), listen);
  };
  auto opened = co_await on(strands_.listen, std::move(open_source));
  check_not_cancelled();
  parts.capture = *std::move(opened);

  parts.transcriber = host->transcriber(parts.preparation.pool, Urgency::live);
  co_await check_transcriber(&parts);
  check_not_cancelled();

  const auto make_files = [config = parts.config, clock = time_.clock, disk = strands_.disk, capture = parts.capture] {
    return owned_by_strand(disk, std::make_unique<NewSession>(config, clock->now(), capture.format.sample_rate,
                                                              capture.loop->description()));
  };
  auto files = co_await on(strands_.disk, make_files);
  check_not_cancelled();
  parts.files = *std::move(files);
}

/// Settings that somebody wrote may be such that no segment can ever be transcribed: the worker knows. A worker that is
/// slow, or fails for another reason, does not hold up the start for long.
boost::asio::awaitable<void> Session::check_transcriber(const OpenParts* opened) {
  const OpenParts& parts = *opened;  // try_to_open's, which waits for this
  const auto& settings = parts.config.transcription;
  const bool has_wishes = !settings.model.empty() || !(settings.language.empty() || settings.language == "auto");
  if (!parts.transcriber || !has_wishes) co_return;
  const auto answer = std::make_shared<std::optional<std::optional<EventError>>>();
  parts.transcriber->prepare([answer, weak = weak_from_this()](std::optional<EventError> error) {
    answer->emplace(std::move(error));
    if (const auto self = weak.lock()) self->changed_.notify();
  });
  bool is_late = false;
  const auto limit = time_.timers->make_timer(strands_.loop);
  limit->start(kMaxTranscriberCheck, [this, &is_late] {
    is_late = true;
    changed_.notify();
  });
  while (!*answer && !is_late && !lifecycle_.is_cancelled()) co_await changed();
  if (*answer && **answer) throw RecorderError(code_named((**answer)->code), (**answer)->message);
}

void Session::check_not_cancelled() const {
  if (lifecycle_.is_cancelled()) throw start_was_cancelled();
}

void Session::begin(OpenParts& parts) {
  const auto host = host_.lock();
  if (!host) throw start_was_cancelled();
  host->subscribers().prepare();  // the last that can fail
  auto settings = core_settings(parts.config, parts.files->path(), parts.capture.format.sample_rate,
                                static_cast<bool>(parts.transcriber));
  settings.session = parts.files->name();
  settings.vocabulary = parts.preparation.vocabulary;
  take_over(std::move(settings), parts.files->keep(), std::move(parts.transcriber));
  capture_ = std::move(parts.capture.loop);
  apply(SessionInput::opened);
  run_capture(parts.preparation.warnings);
}

void Session::take_over(RecorderCore::Settings settings, session::SessionWriter writer, SessionRunner transcriber) {
  *journal_->session.lock() = settings.session_path;
  disk_ = owned_by_strand(strands_.disk, std::make_unique<DiskStage>(std::move(writer), time_, journal_));
  using transcription::Priority;
  const auto priority = visibility_ == Visibility::published ? Priority::live : Priority::background;
  // Inline where this is the loop already, so that a transcriber that answers by the audio clock is processed at that
  // very moment of it.
  const auto done = [weak = weak_from_this(), loop = strands_.loop](std::uint32_t segment, TranscriptionOutcome text) {
    boost::asio::dispatch(loop, [weak, segment, text = std::move(text)] {
      if (const auto self = weak.lock()) self->text_arrived(segment, text);
    });
  };
  core_.emplace(std::move(settings), *time_.clock);
  const int sample_rate = core_->settings().sample_rate;
  texts_.emplace(std::move(transcriber), TextStage::Settings{.priority = priority, .sample_rate = sample_rate},
                 TextStage::Callbacks{.job = [this](std::uint32_t segment) { return core_->job(segment); },
                                      .interim = [this](std::uint32_t segment, Frame start,
                                                        Frame end) { return core_->interim_job(segment, start, end); },
                                      .done = done,
                                      .failed = [this](const EventError& error) { report(error); },
                                      .no_worker = [this](const EventError& why) { wait_for_worker(why); },
                                      .warned = [this](const EventError& what) { report(what); }});
}

void Session::fail_start(const std::exception_ptr& reason) {
  start_failure_ = reason;
  if (lifecycle_.is_cancelled()) start_failure_ = std::make_exception_ptr(start_was_cancelled());
  if (const auto host = host_.lock()) host->state_changed(RecordingState::idle, {});
  apply(SessionInput::open_failed);
  release();
}

boost::asio::awaitable<std::exception_ptr> Session::try_to_reopen(std::filesystem::path path, Redo redo) {
  try {
    co_await reopen(std::move(path), redo);
  } catch (...) {
    co_return std::current_exception();
  }
  co_return nullptr;
}

boost::asio::awaitable<void> Session::reopen(std::filesystem::path path, Redo redo) {
  const auto host = host_.lock();
  if (!host) throw start_was_cancelled();
  strands_ = host->strands();
  const auto config = host->config();
  const auto recover = [path, config, clock = time_.clock] { return recorder::reopen(config, path, clock->now()); };
  auto reopened = co_await on(strands_.disk, recover);
  check_not_cancelled();
  auto transcriber = host->transcriber(reopened->pool, Urgency::later);
  auto settings = core_settings(config, reopened->writer, static_cast<bool>(transcriber));
  settings.vocabulary = std::move(reopened->vocabulary);
  take_over(std::move(settings), std::move(reopened->writer), std::move(transcriber));
  journal_->written = reopened->journal.empty() ? 0 : reopened->journal.back().sequence.value_or(0) + 1;
  apply(SessionInput::reopened);
  input([journal = std::move(reopened->journal), redo](RecorderCore& core, RecorderCore::Actions& actions) {
    core.resume(journal, redo, actions);
  });
  texts_->end_of_audio();
}

boost::asio::awaitable<void> Session::complete_files() {
  if (lifecycle_.state() != SessionState::completing) co_return;
  const auto complete = [disk = disk_] { return disk->capture_ended(); };
  const auto faults = co_await on(strands_.disk, complete);
  if (!faults) co_return;
  follow_folder();
  report(*faults);
  const auto list = [disk = disk_] { return disk->take_unsynced(); };
  auto files = co_await on(strands_.disk, list);
  if (!files) co_return;
  const auto sync = [disk = disk_, files = *std::move(files)] { return disk->sync(files); };
  const auto sync_faults = co_await on(strands_.sync, sync);
  if (!sync_faults) co_return;
  report(*sync_faults);
  apply(SessionInput::files_complete);
}

boost::asio::awaitable<void> Session::complete_texts() {
  while (!lifecycle_.is_complete()) {
    const auto waits = [this] {
      return has_pending_texts() && !(ends_with_drain_ && lifecycle_.state() == SessionState::background);
    };
    while (waits()) co_await changed();
    const bool is_over = has_pending_texts();  // the others are left to the next start
    apply(SessionInput::texts_complete);
    if (!lifecycle_.is_abandoned() && core_->take_text_revisions()) co_await revise_notes();
    apply(has_pending_texts() && !is_over ? SessionInput::texts_requested : SessionInput::notes_revised);
  }
}

boost::asio::awaitable<void> Session::revise_notes() {
  const auto revise = [disk = disk_, phrases = core_->settings().phrases] { return disk->revised_notes(phrases); };
  const auto revised = co_await on(strands_.disk, revise);
  if (!revised) co_return;
  input([&revised](RecorderCore& core, RecorderCore::Actions& actions) {
    for (const auto& [frame, note] : *revised) core.note_revised(frame, note, actions);
  });
}

boost::asio::awaitable<void> Session::deliver() {
  if (tail_.is_blocked()) write_to_journal({});  // the last try
  co_await events_journaled();
  if (!tail_.is_empty()) {
    if (journal_writes_pending_ > 0) apply(SessionInput::journal_given_up);
    publish(tail_.give_up());
  }
  const auto host = host_.lock();
  if (host && visibility_ == Visibility::published)
    co_await host->subscribers().delivered(strands_.loop, time_.timers.get());
  apply(SessionInput::delivered);
}

boost::asio::awaitable<void> Session::events_journaled() {
  bool is_late = false;
  const auto limit = time_.timers->make_timer(strands_.loop);
  limit->start(Subscribers::kDeliveryBound, [this, &is_late] {
    is_late = true;
    changed_.notify();
  });
  while (!tail_.is_empty() && journal_writes_pending_ > 0 && !is_late) co_await changed();
}

boost::asio::awaitable<void> Session::close_files() {
  texts_->abandon();
  const auto close = [disk = disk_] { return disk->finish(); };
  const auto faults = co_await on(strands_.disk, close);
  boost::asio::post(strands_.disk, [disk = disk_] { disk->update_index(); });
  publish(tail_.give_up());
  if (!faults) co_return;
  report(*faults);
  apply(SessionInput::files_closed);
}

/// On the loop strand, so that nothing of it is left for another.
void Session::release() {
  limit_->cancel();
  drain_->cancel();
  answer_limit_->cancel();
  retry_->cancel();
  texts_.reset();
  capture_.reset();
  disk_.reset();
}

void Session::break_off() {
  apply(SessionInput::broken);
  release();
}

/// Runs `work` on another strand. Empty where that strand was left behind meanwhile: `work` may still be running then,
/// and owns what it needs.
template <class Work>
boost::asio::awaitable<std::optional<std::invoke_result_t<Work&>>> Session::on(boost::asio::any_io_executor strand,
                                                                               Work work) {
  struct Call {
    std::optional<std::invoke_result_t<Work&>> result;
    std::exception_ptr thrown;
    bool has_ended = false;
  };
  const auto call = std::make_shared<Call>();
  boost::asio::post(strand, [self = shared_from_this(), call, work = std::move(work)]() mutable {
    try {
      call->result.emplace(work());
    } catch (...) {
      call->thrown = std::current_exception();
    }
    boost::asio::post(self->strands_.loop, [self, call] {
      call->has_ended = true;
      self->changed_.notify();
    });
  });
  const int before = abandonments_;
  while (!call->has_ended && abandonments_ == before && !lifecycle_.is_abandoned()) co_await changed();
  if (!call->has_ended) co_return std::nullopt;
  if (call->thrown) std::rethrow_exception(call->thrown);
  co_return std::move(call->result);
}

// --- Calls -----------------------------------------------------------------------------------------------------------

boost::asio::awaitable<void> Session::started() {
  const auto self = shared_from_this();
  while (!lifecycle_.has_started()) co_await changed();
  if (start_failure_) std::rethrow_exception(start_failure_);
  if (!core_) throw start_was_cancelled();
}

boost::asio::awaitable<void> Session::ended() {
  const auto self = shared_from_this();
  while (!lifecycle_.has_ended()) co_await changed();
}

boost::asio::awaitable<bool> Session::stopped() {
  const auto self = shared_from_this();
  while (!lifecycle_.is_stopped()) co_await changed();
  if (lifecycle_.has_ended()) co_return false;
  co_await events_journaled();
  co_return true;
}

void Session::stop(std::optional<SessionLifecycle::Time> drain_deadline) {
  if (drain_deadline) lifecycle_.limit_drain(*drain_deadline);
  apply(SessionInput::stop);
}

boost::asio::awaitable<void> Session::pause_capture() {
  co_await change_capture(SessionCall::pause, SessionInput::pause, SessionState::pausing);
}

boost::asio::awaitable<void> Session::resume_capture() {
  co_await change_capture(SessionCall::resume, SessionInput::resume, SessionState::resuming);
}

boost::asio::awaitable<void> Session::change_capture(SessionCall call, SessionInput request, SessionState under_way) {
  const auto self = shared_from_this();
  while (decide(call) == CallDecision::ask_again) co_await changed();
  if (decide(call) == CallDecision::refuse) throw not_recording();
  if (decide(call) == CallDecision::done) co_return;
  if (decide(call) == CallDecision::accept) apply(request);
  while (lifecycle_.state() == under_way) co_await changed();
  if (capture_failure_.code) throw RecorderError(capture_failure_.code, capture_failure_.sentence);
  if (decide(SessionCall::change) == CallDecision::refuse) throw not_recording();
}

void Session::set_mode(VADMode mode) {
  input([mode](RecorderCore& core, RecorderCore::Actions& actions) { core.set_mode(mode, actions); });
}

void Session::set_muted(bool muted) {
  input([muted](RecorderCore& core, RecorderCore::Actions& actions) { core.set_muted(muted, actions); });
  boost::asio::post(strands_.listen, [capture = capture_, muted] { capture->set_muted(muted); });
}

void Session::set_device(const std::string& device) {
  boost::asio::post(strands_.listen, [capture = capture_, device] { capture->set_device(device); });
}

void Session::set_vocabulary(const std::vector<std::string>& vocabulary) {
  input([vocabulary](RecorderCore& core, RecorderCore::Actions& actions) { core.set_vocabulary(vocabulary, actions); });
}

void Session::complete_note() {
  input([](RecorderCore& core, RecorderCore::Actions& actions) { core.complete_note(actions); });
}

void Session::retry_failed() {
  input([](RecorderCore& core, RecorderCore::Actions& actions) { core.retry_failed(actions); });
}

void Session::report(const EventError& error) {
  report(std::vector{error});
}

void Session::report(const std::vector<EventError>& faults) {
  for (const EventError& fault : faults) {
    input([fault](RecorderCore& core, RecorderCore::Actions& actions) {
      core.fault(fault.code, fault.message, true, actions);
    });
  }
}

// --- The life cycle's actions ----------------------------------------------------------------------------------------

void Session::apply(SessionInput input) {
  for (const SessionAction action : lifecycle_.apply(input)) carry_out(action);
  if (previous_) previous_->changed_.notify();  // a start that waits for it may be cancelled
  changed_.notify();
}

void Session::carry_out(SessionAction action) {
  switch (action) {
    case SessionAction::arm_cancel_limit:
      return arm_limit(SessionLifecycle::kCancelLimit);
    case SessionAction::arm_stop_limit:
      if (!limit_->is_running()) arm_limit(SessionLifecycle::kStopLimit);
      return;
    case SessionAction::shorten_limit:
      return arm_limit(SessionLifecycle::kSecondStopLimit);
    case SessionAction::clear_limit:
      return limit_->cancel();
    case SessionAction::ask_pause:
      return ask_capture(&pipeline::CaptureLoop::pause, SessionInput::pause_failed);
    case SessionAction::ask_resume:
      return ask_capture(&pipeline::CaptureLoop::resume, SessionInput::resume_failed);
    case SessionAction::close_capture:
      return close_capture();
    case SessionAction::arm_drain:
      return arm_drain();
    case SessionAction::abandon_parts:
      ++abandonments_;
      if (const auto host = host_.lock()) host->replace_strands();
      return;
    case SessionAction::report_abandoned:
      return report_abandoned();
    case SessionAction::report_pending:
      return input([](RecorderCore& core, RecorderCore::Actions& actions) { core.report_pending(actions); });
    case SessionAction::abandon_texts:
      if (texts_) texts_->abandon();
      return;
  }
}

/// At most that long from now, and no longer than it is armed for already.
void Session::arm_limit(std::chrono::nanoseconds delay) {
  const auto now = time_.clock->steady_now();
  const auto at = now + delay;
  limit_at_ = limit_->is_running() ? std::min(limit_at_, at) : at;
  limit_->start(std::max<std::chrono::nanoseconds>(limit_at_ - now, {}),
                [this] { apply(SessionInput::limit_expired); });
}

void Session::arm_drain() {
  const auto deadline = lifecycle_.drain_deadline();
  if (!deadline) return;
  drain_->start(std::max<std::chrono::nanoseconds>(*deadline - time_.clock->steady_now(), {}),
                [this] { apply(SessionInput::drain_expired); });
}

void Session::close_capture() {
  if (!capture_) return;
  input([](RecorderCore& core, RecorderCore::Actions& actions) { core.request_stop(actions); });
  boost::asio::post(strands_.listen, [capture = capture_] { capture->stop(); });
}

void Session::ask_capture(detail::Outcome (pipeline::CaptureLoop::*question)(), SessionInput failed) {
  capture_failure_ = {};
  answer_limit_->start(SessionLifecycle::kAnswerLimit, [this, failed] {
    capture_failed(
        {make_error_code(Errc::timed_out), "The audio device, or the disk, does not answer: stop the recording."},
        failed);
  });
  // The answer comes by the disk, as the audio does: so it comes after that, and the state has changed.
  boost::asio::post(strands_.listen, [self = shared_from_this(), capture = capture_, question, failed] {
    boost::asio::post(self->strands_.disk, [self, failed, outcome = (capture.get()->*question)()] {
      boost::asio::post(self->strands_.loop, [self, failed, outcome] {
        if (!self->answer_limit_->is_running()) return;  // too late
        self->answer_limit_->cancel();
        if (outcome.code) self->capture_failed(outcome, failed);
      });
    });
  });
}

void Session::capture_failed(detail::Outcome outcome, SessionInput failed) {
  capture_failure_ = std::move(outcome);
  apply(failed);
}

void Session::report_abandoned() {
  const RecordingState state = core_->state();
  const bool is_closed = state == RecordingState::idle || state == RecordingState::failed;
  const bool disk_answers = !is_closed && tail_.is_empty() && capture_ && capture_->backlog().is_empty();
  const EventError error{to_string(Errc::timed_out), describe({.session = path(),
                                                               .sample_rate = core_->settings().sample_rate,
                                                               .disk_answers = disk_answers,
                                                               .capture_is_closed = is_closed,
                                                               .written_until = written_until_,
                                                               .audio_failed = audio_failed_,
                                                               .events_waiting = tail_.size()})};
  if (!disk_answers && lifecycle_.is_abandoned()) publish(tail_.give_up());
  if (is_closed && std::exchange(reported_abandonment_, error.message) == error.message) return;  // it goes on the same
  input([error, is_closed](RecorderCore& core, RecorderCore::Actions& actions) {
    if (is_closed) {
      core.fault(error.code, error.message, false, actions);
    } else {
      core.process(pipeline::Closed{.now = 0, .captured = 0, .drift_ppm = 0, .failure = error}, actions);
    }
  });
}

// --- Audio, events and texts -----------------------------------------------------------------------------------------

void Session::run_capture(const std::vector<EventError>& warnings) {
  input([&warnings](RecorderCore& core, RecorderCore::Actions& actions) {
    core.start(actions);
    for (const EventError& warning : warnings) core.fault(warning.code, warning.message, true, actions);
  });
  auto sink = [self = shared_from_this(), disk = disk_,
               weak = std::weak_ptr(capture_)](std::vector<pipeline::StreamItem> items) {
    self->watch_disk();
    const auto capture = weak.lock();  // which calls this
    InFlight in_flight(capture, self->strands_.listen, pipeline::bytes_of(items));
    Batch batch{.items = std::move(items), .in_flight = std::move(in_flight), .source_can_wait = capture->can_wait()};
    boost::asio::post(self->strands_.disk, [self, disk, batch = std::move(batch)]() mutable {
      disk->push(std::move(batch));
      self->write_files(disk);
      self->disk_watch_.answered(self->time_.clock->steady_now());
    });
  };
  boost::asio::post(strands_.listen,
                    [capture = capture_, sink = std::move(sink)]() mutable { capture->run(std::move(sink)); });
}

/// On `listen`, before it gives a batch to the disk.
void Session::watch_disk() {
  if (!disk_watch_.asked(time_.clock->steady_now())) return;
  boost::asio::post(strands_.loop, [self = shared_from_this()] {
    self->tail_.set_blocked(true);  // the journal is on the same disk: events are published from memory
    self->report({to_string(Errc::timed_out),
                  fmt::format("The disk of '{}' does not answer.{}", self->path().string(), self->memory_sentence())});
  });
}

/// On `disk`: writes what waits, and passes on what the loop may process.
void Session::write_files(const OnStrand<DiskStage>& disk) {
  auto written = disk->write();
  std::optional<WrittenEvents> retried;
  if (disk->has_waiting()) retried = disk->write_events({});
  const bool is_waiting = written.is_waiting || disk->has_waiting();
  boost::asio::post(strands_.loop, [self = shared_from_this(), written = std::move(written),
                                    retried = std::move(retried), is_waiting]() mutable {
    if (retried) self->events_written(*retried);
    self->files_written(written);
    if (is_waiting) self->write_files_later();
  });
  if (auto later = disk->save_if_due(); !later.empty()) report_later(std::move(later));
  if (auto files = disk->due_for_sync(); !files.empty()) {
    boost::asio::post(strands_.sync, [self = shared_from_this(), disk, files = std::move(files)] {
      if (auto later = disk->sync(files); !later.empty()) self->report_later(std::move(later));
    });
  }
}

void Session::files_written(Written& written) {
  audio_failed_ = audio_failed_ || written.has_lost;
  follow_folder();
  if (written.is_waiting) {
    for (EventError& fault : written.faults) fault.message += memory_sentence();
    const bool is_full = capture_ && !capture_->backlog().can_wait() && capture_->backlog().is_at_limit();
    if (is_full && !std::exchange(memory_is_full_, true)) {
      report(
          {to_string(Errc::disk_full),
           fmt::format("Audio is being lost: '{}' cannot be written, and the memory for what waits is full. Free some "
                       "space; the gap is stated as soon as it ends.",
                       path().string())});
    }
  } else {
    memory_is_full_ = false;
  }
  report(written.faults);
  if (written.broken) end_broken(*written.broken);
  for (const Batch& batch : written.batches) process(batch.items);
}

/// How long a recording goes on without the disk.
std::string Session::memory_sentence() const {
  if (!capture_ || capture_->backlog().can_wait()) return {};
  const auto bytes_a_second = static_cast<std::int64_t>(core_->settings().sample_rate) * 2;
  return fmt::format(" Recording continues in memory, which lasts for about {} s of speech.",
                     capture_->backlog().room() / bytes_a_second);
}

void Session::write_files_later() {
  if (retry_->is_running() || !disk_ || lifecycle_.is_abandoned()) return;
  retry_->start(kDiskRetry, [this] {
    boost::asio::post(strands_.disk, [self = shared_from_this(), disk = disk_] { self->write_files(disk); });
  });
}

/// From any strand.
void Session::report_later(std::vector<EventError> faults) {
  boost::asio::post(strands_.loop, [self = shared_from_this(), faults = std::move(faults)] { self->report(faults); });
}

void Session::process(const std::vector<pipeline::StreamItem>& items) {
  for (const pipeline::StreamItem& item : items) {
    if (lifecycle_.is_abandoned()) return;
    try {
      input([&item](RecorderCore& core, RecorderCore::Actions& actions) { core.process(item, actions); });
      texts_->process(item);
    } catch (...) {
      report(error_of_current_exception());
    }
    if (const auto* progress = std::get_if<pipeline::Progress>(&item)) {
      written_until_ = progress->now;
    } else if (std::holds_alternative<pipeline::Paused>(item)) {
      apply(SessionInput::capture_paused);
    } else if (std::holds_alternative<pipeline::Resumed>(item)) {
      apply(SessionInput::capture_resumed);
    } else if (std::holds_alternative<pipeline::Closed>(item)) {
      texts_->end_of_audio();
      apply(SessionInput::capture_closed);
    }
  }
}

void Session::input(std::function<void(RecorderCore&, RecorderCore::Actions&)> give) {
  if (!core_) return;
  inputs_.push_back(std::move(give));
  if (handling_) return;
  struct Handling {
    bool& flag;
    explicit Handling(bool& set) : flag(set) { flag = true; }
    ~Handling() { flag = false; }
  };
  const Handling handling(handling_);
  while (!inputs_.empty()) {
    const auto next = std::move(inputs_.front());
    inputs_.pop_front();
    RecorderCore::Actions actions;
    std::optional<EventError> broken;
    try {
      next(*core_, actions);
    } catch (const BrokenInvariant&) {
      broken = error_of_current_exception();
    }
    carry_out(actions);
    if (broken) end_broken(*broken);
  }
}

void Session::end_broken(const EventError& error) {
  if (!core_ || std::exchange(is_broken_, true)) return;
  input([error](RecorderCore& core, RecorderCore::Actions& actions) {
    core.fault(error.code, error.message, false, actions);
  });
  boost::asio::post(strands_.loop, [self = shared_from_this()] { self->apply(SessionInput::stop_internal); });
}

void Session::carry_out(RecorderCore::Actions& actions) {
  std::vector<EventPointer> to_journal;
  for (Action& action : actions) {
    if (auto* emitted = std::get_if<Emit>(&action)) {
      emit(std::move(emitted->event), to_journal);
    } else if (const auto* job = std::get_if<Transcribe>(&action)) {
      if (texts_) texts_->submit(job->segment);
    } else if (const auto* early = std::get_if<BeginEarly>(&action)) {
      if (texts_) texts_->begin_early(early->segment);
    } else if (const auto* cancelled = std::get_if<CancelEarly>(&action)) {
      if (texts_) texts_->cancel_early(cancelled->segment);
    } else if (std::holds_alternative<WarmUp>(action)) {
      if (texts_) texts_->warm_up();
    } else if (const auto* silence = std::get_if<SetMinSilence>(&action)) {
      boost::asio::post(strands_.listen, [capture = capture_, ms = silence->ms] { capture->set_min_silence_ms(ms); });
    } else {
      boost::asio::post(strands_.loop, [self = shared_from_this()] { self->apply(SessionInput::stop_internal); });
    }
  }
  if (!to_journal.empty()) write_to_journal(std::move(to_journal));
}

void Session::emit(Event event, std::vector<EventPointer>& to_journal) {
  if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) {
    if (const auto host = host_.lock()) host->state_changed(changed->state, path());
  }
  auto pointer = std::make_shared<const Event>(std::move(event));
  if (!pointer->is_ephemeral()) to_journal.push_back(pointer);
  if (auto at_once = tail_.push(std::move(pointer), time_.clock->steady_now())) publish({std::move(at_once)});
}

/// To the journal; then to the subscribers.
void Session::write_to_journal(std::vector<EventPointer> events) {
  if (!disk_) {
    publish(tail_.give_up());
    return;
  }
  ++journal_writes_pending_;
  boost::asio::post(strands_.disk, [self = shared_from_this(), disk = disk_, events = std::move(events)]() mutable {
    auto written = disk->write_events(std::move(events));
    boost::asio::post(self->strands_.loop, [self, written = std::move(written)] {
      --self->journal_writes_pending_;
      self->events_written(written);
    });
  });
}

/// Jobs, and whoever asks for the session, get the path that the disk has found to be the new one.
void Session::follow_folder() {
  const std::filesystem::path now = path();
  const std::filesystem::path former = core_->settings().session_path;
  if (former == now) return;
  core_->folder_moved(now);
  if (const auto host = host_.lock()) host->folder_moved(former, now);
}

void Session::events_written(const WrittenEvents& written) {
  follow_folder();
  tail_.set_blocked(written.is_blocked);
  publish(tail_.written(written.count));
  report(written.faults);
  if (written.broken) end_broken(*written.broken);
  if (tail_.is_full() && decide(SessionCall::change) == CallDecision::accept) {
    report({to_string(Errc::output_unwritable),
            "The journal could not be written for so long that the recording was stopped."});
    apply(SessionInput::stop_internal);
  }
  changed_.notify();  // for events_journaled()
}

void Session::publish(const std::vector<EventPointer>& events) {
  if (events.empty() || visibility_ != Visibility::published) return;
  const auto host = host_.lock();
  if (!host) return;
  for (const EventPointer& event : events) host->subscribers().publish(event, journal_);
}

/// Nobody waits for texts while there is no worker: they stay queued, here and on the disk.
void Session::wait_for_worker(const EventError& why) {
  if (!std::exchange(has_no_worker_, true)) {
    report({why.code,
            why.message + (ends_with_drain_
                               ? " Segments are left without their texts: `dictum resume` goes on with them."
                               : " Segments wait for their texts: recording goes on, and workers are tried again.")});
  }
  apply(SessionInput::drain_expired);
  changed_.notify();
}

void Session::text_arrived(std::uint32_t segment, const TranscriptionOutcome& outcome) {
  has_no_worker_ = false;
  if (!has_pending_texts() || !core_->is_pending(segment)) return;
  input([segment, outcome](RecorderCore& core, RecorderCore::Actions& actions) {
    core.transcribed(segment, outcome, actions);
  });
  changed_.notify();
}

}  // namespace dictum::recorder
