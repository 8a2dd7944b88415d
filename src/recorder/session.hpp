#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/timer.hpp"
#include "pipeline/capture_loop.hpp"
#include "recorder/condition.hpp"
#include "recorder/disk_stage.hpp"
#include "recorder/disk_watch.hpp"
#include "recorder/journal_tail.hpp"
#include "recorder/recorder_core.hpp"
#include "recorder/session_lifecycle.hpp"
#include "recorder/session_parts.hpp"
#include "recorder/session_runner.hpp"
#include "recorder/strands.hpp"
#include "recorder/subscribers.hpp"
#include "recorder/text_stage.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

/// Whether somebody waits for the texts of what is being recorded, or they are those of a recording that has ended.
enum class Urgency { live, later };

/// What a session needs of the recorder that it belongs to. Called on the `loop` strand.
class SessionHost {
 public:
  virtual ~SessionHost() = default;

  /// Where a session that begins now does its work: not where an older one was left behind.
  virtual Strands strands() const = 0;

  /// The configuration as it is now: the device may have been changed.
  virtual RecorderConfig config() const = 0;

  /// Empty where nothing is to be transcribed. Throws what a factory throws.
  virtual SessionRunner transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) = 0;

  /// The start begins, ends in a session (whose folder is `session`) or fails.
  virtual void state_changed(RecordingState state, const std::filesystem::path& session) = 0;

  /// Somebody moved the session's folder.
  virtual void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) = 0;

  /// The device or the disk does not answer: what runs on `listen` and `disk` from now on needs others.
  virtual void replace_strands() = 0;

  virtual Subscribers& subscribers() = 0;
};

/// Of a call that needs a recording.
RecorderError not_recording();

/// One session from its start until its files are closed: carries out what its life cycle and its core decide.
///
/// `record` and `resume` read from top to bottom; what does not follow from what went before (calls, audio, texts,
/// timers) arrives as an input of the life cycle or of the core, and wakes them.
///
/// Threads: lives on the `loop` strand, where every method is called; hands audio to `listen` and files to `disk`.
/// Owner: `Pointer`.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// Shared by the runtime, until everything has ended; by the session that starts behind this one, until this one is
  /// closed; and by the handlers under way, so that a stuck device or disk is left behind with what it holds.
  using Pointer = std::shared_ptr<Session>;

  enum class Visibility { published, in_background };

  Session(std::weak_ptr<SessionHost> host, const boost::asio::any_io_executor& loop, TimeSource time,
          Visibility visibility);

  /// Begins once `previous` (or null) is closed, and records until everything is done. Never throws.
  boost::asio::awaitable<void> record(Pointer previous);

  /// The same for a session that is on disk already: what is missing is done. Throws why it cannot be opened.
  boost::asio::awaitable<void> resume(std::filesystem::path path, Redo redo,
                                      std::optional<SessionLifecycle::Time> drain_deadline);

  /// Ends a session whose coroutine could not go on: leaves everything behind as it is.
  void break_off();

  // Calls. Those that fail throw RecorderError. Those that are awaited keep the session meanwhile.
  CallDecision decide(SessionCall call) const { return lifecycle_.decide(call); }

  /// Returns once the start has ended; throws what it failed with.
  boost::asio::awaitable<void> started();

  /// Returns once everything has ended.
  boost::asio::awaitable<void> ended();

  /// Returns once nothing is captured any more and the events of that are journaled; false where everything has ended.
  boost::asio::awaitable<bool> stopped();

  void cancel() { apply(SessionInput::cancel); }
  void stop(std::optional<SessionLifecycle::Time> drain_deadline);
  void shut_down() { apply(SessionInput::shut_down); }
  boost::asio::awaitable<void> pause_capture();
  boost::asio::awaitable<void> resume_capture();
  void set_mode(VADMode mode);
  void set_muted(bool muted);
  void set_device(const std::string& device);
  void set_vocabulary(const std::vector<std::string>& vocabulary);
  void complete_note();
  void retry_failed();

  /// Gives an input to the core. One that arrives while another is handled waits, so `give` owns what it needs.
  void input(std::function<void(RecorderCore&, RecorderCore::Actions&)> give);

  /// Something went wrong: a recoverable fault.
  void report(const EventError& error);

  /// An invariant is broken: reports it, once, and stops the recording.
  void end_broken(const EventError& error);

  /// Returns after the next change of what the following functions say.
  boost::asio::awaitable<void> changed() { return changed_.wait(); }

  const SessionLifecycle& lifecycle() const { return lifecycle_; }
  std::filesystem::path path() const { return *journal_->session.lock(); }

  /// Whether the start succeeded.
  bool has_recorded() const { return core_.has_value(); }

  /// Whether a text is pending that anybody may wait for.
  bool has_pending_texts() const { return core_ && core_->pending() > 0 && texts_ && !texts_->is_abandoned(); }

  /// Texts are pending, and no worker can be started to make them.
  bool has_no_worker() const { return has_no_worker_; }

 private:
  struct OpenParts;

  // Opening.
  boost::asio::awaitable<std::exception_ptr> try_to_open();
  boost::asio::awaitable<void> open(OpenParts* into);
  boost::asio::awaitable<std::exception_ptr> try_to_reopen(std::filesystem::path path, Redo redo);
  boost::asio::awaitable<void> reopen(std::filesystem::path path, Redo redo);
  void check_not_cancelled() const;
  boost::asio::awaitable<void> check_transcriber(const OpenParts* opened);
  void begin(OpenParts& parts);
  void take_over(RecorderCore::Settings settings, session::SessionWriter writer, SessionRunner transcriber);
  void fail_start(const std::exception_ptr& reason);

  // Ending, in this order.
  boost::asio::awaitable<void> complete_files();
  boost::asio::awaitable<void> complete_texts();
  boost::asio::awaitable<void> revise_notes();
  boost::asio::awaitable<void> deliver();

  /// Returns once every event so far has its journal line, and is with the subscribers; not later than they are waited
  /// for where the disk does not answer.
  boost::asio::awaitable<void> events_journaled();

  boost::asio::awaitable<void> close_files();
  void release();

  template <class Work>
  boost::asio::awaitable<std::optional<std::invoke_result_t<Work&>>> on(boost::asio::any_io_executor strand, Work work);

  // The life cycle's actions.
  void apply(SessionInput input);
  void carry_out(SessionAction action);
  void arm_limit(std::chrono::nanoseconds delay);
  void arm_drain();
  void close_capture();
  boost::asio::awaitable<void> change_capture(SessionCall call, SessionInput request, SessionState under_way);
  void ask_capture(detail::Outcome (pipeline::CaptureLoop::*question)(), SessionInput failed);
  void capture_failed(detail::Outcome outcome, SessionInput failed);
  void report_abandoned();

  // Audio, events and texts.
  void run_capture(const std::vector<EventError>& warnings);
  void process(const std::vector<pipeline::StreamItem>& items);
  void carry_out(RecorderCore::Actions& actions);
  void emit(Event event, std::vector<EventPointer>& to_journal);
  void write_to_journal(std::vector<EventPointer> events);
  void follow_folder();
  void events_written(const WrittenEvents& written);
  void report(const std::vector<EventError>& faults);
  void watch_disk();
  void write_files(const OnStrand<DiskStage>& disk);
  void files_written(Written& written);
  void write_files_later();
  std::string memory_sentence() const;
  void report_later(std::vector<EventError> faults);
  void publish(const std::vector<EventPointer>& events);
  void wait_for_worker(const EventError& why);
  void text_arrived(std::uint32_t segment, const TranscriptionOutcome& outcome);

  const std::weak_ptr<SessionHost> host_;
  const TimeSource time_;
  const Visibility visibility_;
  Strands strands_;  // `listen` and `disk` from the opening on
  Condition changed_;
  Pointer previous_;  // while this one waits for it

  SessionLifecycle lifecycle_;
  int abandonments_ = 0;  // a step that was under way at one is not waited for
  std::exception_ptr start_failure_;
  detail::Outcome capture_failure_;  // of the newest pause or resume that failed
  std::unique_ptr<Timer> limit_;
  std::unique_ptr<Timer> drain_;
  std::unique_ptr<Timer> answer_limit_;
  std::unique_ptr<Timer> retry_;  // of what waits for the disk
  SessionLifecycle::Time limit_at_{};

  // From the opening on.
  std::optional<RecorderCore> core_;
  OnStrand<pipeline::CaptureLoop> capture_;  // null: a session that is resumed, not recorded
  OnStrand<DiskStage> disk_;
  std::optional<TextStage> texts_;
  delivery::JournalPointer journal_ = std::make_shared<delivery::JournalView>();

  std::deque<std::function<void(RecorderCore&, RecorderCore::Actions&)>> inputs_;
  bool handling_ = false;
  JournalTail tail_;
  std::size_t journal_writes_pending_ = 0;  // calls of `write_to_journal` that the disk has not answered
  Frame written_until_ = 0;
  bool audio_failed_ = false;
  bool is_broken_ = false;  // an invariant is: it ends
  std::string reported_abandonment_;
  bool memory_is_full_ = false;
  bool ends_with_drain_ = false;  // of a resumed session nobody waits for what is left
  bool has_no_worker_ = false;    // and that is reported
  DiskWatch disk_watch_;
};

}  // namespace dictum::recorder
