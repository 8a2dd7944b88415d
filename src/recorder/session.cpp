#include "recorder/session.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "base/outcome.hpp"
#include "recorder/abandonment.hpp"
#include "recorder/session_errors.hpp"

namespace dictum::recorder {

Session::Session(std::weak_ptr<SessionHost> host, const boost::asio::any_io_executor& loop, TimeSource time,
                 Visibility visibility)
    : host_(std::move(host)),
      time_(std::move(time)),
      visibility_(visibility),
      keep_([this] { return shared_from_this(); }),
      strands_{.loop = loop, .listen = {}, .disk = {}, .sync = {}, .work = {}},
      changed_(loop),
      calls_(keep_, loop, changed_, lifecycle_),
      limits_(time_, loop, [this](SessionInput expired) { apply(expired); }),
      core_({.carry_out = [this](RecorderCore::Actions& actions) { carry_out(actions); },
             .stop = [this] { apply_later(SessionInput::stop_internal); }}),
      capture_(keep_, *time_.timers, loop),
      texts_(keep_, core_,
             {.changed = [this] { changed_.notify(); }, .no_worker = [this] { apply(SessionInput::drain_expired); }}),
      files_(keep_, time_, calls_, file_callbacks()),
      events_(host_, visibility, time_, files_) {}

SessionFiles::Callbacks Session::file_callbacks() {
  return {
      .moved = [this](const std::filesystem::path& from, const std::filesystem::path& to) { folder_moved(from, to); },
      .audio_written = [this](const std::vector<pipeline::StreamItem>& items) { process(items); },
      .events_written = [this](const WrittenEvents& written) { events_written(written); },
      .report = [this](const std::vector<EventError>& faults) { core_.report(faults); },
      .end_broken = [this](const EventError& error) { core_.end_broken(error); },
      .stopped_answering = [this] { events_.disk_is_silent(); }};  // the journal is on it, too
}

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
  is_resumed_ = true;
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
    auto host = use_strands();
    OpenedSession opened = co_await open_session(std::move(host), strands_, time_, &calls_);
    begin(opened);
    co_return nullptr;
  } catch (...) {
    failure = std::current_exception();
  }
  // What had been opened is being closed, each part on its strand: the start has failed once that is done.
  const auto nothing = [] { return true; };
  if (strands_.disk) co_await calls_.on(strands_.disk, nothing);
  if (strands_.listen) co_await calls_.on(strands_.listen, nothing);
  co_return failure;
}

/// Those that a session is given that begins now. Throws where the start was cancelled.
std::shared_ptr<SessionHost> Session::use_strands() {
  auto host = host_.lock();
  if (!host || lifecycle_.is_cancelled()) throw start_was_cancelled();
  strands_ = host->strands();
  return host;
}

void Session::begin(OpenedSession& opened) {
  const auto host = host_.lock();
  if (!host) throw start_was_cancelled();
  host->subscribers().prepare();  // the last that can fail
  const int sample_rate = opened.settings.sample_rate;
  take_over(std::move(opened.settings), opened.files->keep(), 0, std::move(opened.transcriber));
  capture_.open(strands_, opened.capture.loop);
  apply(SessionInput::opened);
  core_.give([&opened](RecorderCore& core, RecorderCore::Actions& actions) {
    core.start(actions);
    for (const EventError& warning : opened.warnings) core.fault(warning.code, warning.message, true, actions);
  });
  capture_.run(files_.take_audio_of(std::move(opened.capture.loop), sample_rate));
}

void Session::take_over(RecorderCore::Settings settings, session::SessionWriter writer, std::uint64_t journaled,
                        SessionRunner transcriber) {
  files_.open(strands_, std::move(writer), journaled);
  core_.begin(std::move(settings), *time_.clock);
  using transcription::Priority;
  const auto priority = visibility_ == Visibility::published ? Priority::live : Priority::background;
  texts_.begin(std::move(transcriber), {.priority = priority, .is_resumed = is_resumed_}, strands_.loop);
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
    auto host = use_strands();
    ReopenedParts parts = co_await reopen_session(std::move(host), strands_, time_, &calls_, std::move(path));
    const std::uint64_t journaled = parts.journal.empty() ? 0 : parts.journal.back().sequence.value_or(0) + 1;
    take_over(std::move(parts.settings), std::move(parts.writer), journaled, std::move(parts.transcriber));
    apply(SessionInput::reopened);
    core_.give([journal = std::move(parts.journal), redo](RecorderCore& core, RecorderCore::Actions& actions) {
      core.resume(journal, redo, actions);
    });
    texts_.end_of_audio();
  } catch (...) {
    co_return std::current_exception();
  }
  co_return nullptr;
}

boost::asio::awaitable<void> Session::complete_files() {
  if (lifecycle_.state() != SessionState::completing) co_return;
  if (co_await files_.complete()) apply(SessionInput::files_complete);
}

boost::asio::awaitable<void> Session::complete_texts() {
  while (!lifecycle_.is_complete()) {
    const auto waits = [this] {
      return texts_.are_pending() && !(is_resumed_ && lifecycle_.state() == SessionState::background);
    };
    while (waits()) co_await changed();
    const bool is_over = texts_.are_pending();  // the others are left to the next start
    apply(SessionInput::texts_complete);
    if (!lifecycle_.is_abandoned() && core_->take_text_revisions()) co_await revise_notes();
    apply(texts_.are_pending() && !is_over ? SessionInput::texts_requested : SessionInput::notes_revised);
  }
}

boost::asio::awaitable<void> Session::revise_notes() {
  const auto revised = co_await files_.revised_notes(core_->settings().phrases);
  if (!revised) co_return;
  core_.give([&revised](RecorderCore& core, RecorderCore::Actions& actions) {
    for (const auto& [frame, note] : *revised) core.note_revised(frame, note, actions);
  });
}

boost::asio::awaitable<void> Session::deliver() {
  events_.retry();
  co_await events_.journaled(&calls_);
  if (events_.is_writing()) apply(SessionInput::journal_given_up);
  if (!events_.tail().is_empty()) events_.give_up();
  const auto host = host_.lock();
  if (host && visibility_ == Visibility::published)
    co_await host->subscribers().delivered(strands_.loop, time_.timers.get());
  apply(SessionInput::delivered);
}

boost::asio::awaitable<void> Session::close_files() {
  texts_.abandon();
  const auto faults = co_await files_.close();
  events_.give_up();
  if (!faults) co_return;
  core_.report(*faults);
  apply(SessionInput::files_closed);
}

/// On the loop strand, so that nothing of it is left for another.
void Session::release() {
  limits_.cancel();
  texts_.release();
  capture_.release();
  files_.release();
}

void Session::break_off() {
  apply(SessionInput::broken);
  release();
}

// --- Calls -----------------------------------------------------------------------------------------------------------

boost::asio::awaitable<void> Session::started() {
  const auto self = shared_from_this();
  while (!lifecycle_.has_started()) co_await changed();
  if (start_failure_) std::rethrow_exception(start_failure_);
  if (!core_.has_begun()) throw start_was_cancelled();
}

boost::asio::awaitable<void> Session::ended() {
  const auto self = shared_from_this();
  while (!lifecycle_.has_ended()) co_await changed();
}

boost::asio::awaitable<bool> Session::stopped() {
  const auto self = shared_from_this();
  while (!lifecycle_.is_stopped()) co_await changed();
  if (lifecycle_.has_ended()) co_return false;
  co_await events_.journaled(&calls_);
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
  const detail::Outcome& failure = capture_.failure();
  if (failure.code) throw RecorderError(failure.code, failure.sentence);
  if (decide(SessionCall::change) == CallDecision::refuse) throw not_recording();
}

void Session::change(const Change& change) {
  if (change.in_core) core_.give(change.in_core);
  if (change.in_capture) capture_.post(change.in_capture);
}

// --- The life cycle's actions ----------------------------------------------------------------------------------------

void Session::apply(SessionInput input) {
  for (const SessionAction action : lifecycle_.apply(input)) carry_out(action);
  if (previous_) previous_->changed_.notify();  // a start that waits for it may be cancelled
  changed_.notify();
}

/// After what is under way.
void Session::apply_later(SessionInput input) {
  boost::asio::post(strands_.loop, [self = shared_from_this(), input] { self->apply(input); });
}

void Session::carry_out(SessionAction action) {
  switch (action) {
    case SessionAction::arm_cancel_limit:
      return limits_.arm(SessionLifecycle::kCancelLimit);
    case SessionAction::arm_stop_limit:
      if (!limits_.is_armed()) limits_.arm(SessionLifecycle::kStopLimit);
      return;
    case SessionAction::shorten_limit:
      return limits_.arm(SessionLifecycle::kSecondStopLimit);
    case SessionAction::clear_limit:
      return limits_.clear();
    case SessionAction::ask_pause:
      return capture_.ask(&pipeline::CaptureLoop::pause, [this] { apply(SessionInput::pause_failed); });
    case SessionAction::ask_resume:
      return capture_.ask(&pipeline::CaptureLoop::resume, [this] { apply(SessionInput::resume_failed); });
    case SessionAction::close_capture:
      if (!capture_.is_open()) return;
      core_.give(&RecorderCore::request_stop);
      return capture_.post(&pipeline::CaptureLoop::stop);
    case SessionAction::arm_drain:
      if (const auto deadline = lifecycle_.drain_deadline()) limits_.arm_drain(*deadline);
      return;
    case SessionAction::abandon_parts:
      calls_.leave_behind();
      if (const auto host = host_.lock()) host->replace_strands();
      return;
    case SessionAction::report_abandoned:
      return report_abandoned();
    case SessionAction::report_pending:
      return core_.give(&RecorderCore::report_pending);
    case SessionAction::abandon_texts:
      return texts_.abandon();
  }
}

void Session::report_abandoned() {
  const RecordingState state = core_->state();
  const bool is_closed = state == RecordingState::idle || state == RecordingState::failed;
  const bool disk_answers = !is_closed && events_.tail().is_empty() && capture_.is_processed();
  const EventError error{to_string(Errc::timed_out), describe({.session = path(),
                                                               .sample_rate = core_->settings().sample_rate,
                                                               .disk_answers = disk_answers,
                                                               .capture_is_closed = is_closed,
                                                               .written_until = written_until_,
                                                               .audio_failed = files_.has_lost_audio(),
                                                               .events_waiting = events_.tail().size()})};
  if (!disk_answers && lifecycle_.is_abandoned()) events_.give_up();
  if (is_closed && std::exchange(reported_abandonment_, error.message) == error.message) return;  // it goes on the same
  core_.give([error, is_closed](RecorderCore& core, RecorderCore::Actions& actions) {
    if (is_closed) {
      core.fault(error.code, error.message, false, actions);
    } else {
      core.process(pipeline::Closed{.now = 0, .captured = 0, .drift_ppm = 0, .failure = error}, actions);
    }
  });
}

// --- Audio, events and texts -----------------------------------------------------------------------------------------

void Session::process(const std::vector<pipeline::StreamItem>& items) {
  for (const pipeline::StreamItem& item : items) {
    if (lifecycle_.is_abandoned()) return;
    try {
      core_.give([&item](RecorderCore& core, RecorderCore::Actions& actions) { core.process(item, actions); });
      texts_.process(item);
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
      texts_.end_of_audio();
      apply(SessionInput::capture_closed);
    }
  }
}

void Session::carry_out(RecorderCore::Actions& actions) {
  for (Action& action : actions) {
    if (auto* emitted = std::get_if<Emit>(&action)) {
      events_.push(std::move(emitted->event));
    } else if (const auto* silence = std::get_if<SetMinSilence>(&action)) {
      capture_.post([ms = silence->ms](pipeline::CaptureLoop& capture) { capture.set_min_silence_ms(ms); });
    } else if (std::holds_alternative<StopCapture>(action)) {
      apply_later(SessionInput::stop_internal);
    } else {
      texts_.carry_out(action);
    }
  }
  events_.write();
}

/// Jobs, and whoever asks for the session, get the new path.
void Session::folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) {
  core_->folder_moved(to);
  if (const auto host = host_.lock()) host->folder_moved(from, to);
}

void Session::events_written(const WrittenEvents& written) {
  events_.written(written);
  core_.report(written.faults);
  if (written.broken) end_broken(*written.broken);
  if (events_.tail().is_full() && decide(SessionCall::change) == CallDecision::accept) {
    report({to_string(Errc::output_unwritable),
            "The journal could not be written for so long that the recording was stopped."});
    apply(SessionInput::stop_internal);
  }
  changed_.notify();  // for EventStage::journaled
}

}  // namespace dictum::recorder
