#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/stream_item.hpp"
#include "recorder/change.hpp"
#include "recorder/condition.hpp"
#include "recorder/core_driver.hpp"
#include "recorder/event_stage.hpp"
#include "recorder/session_capture.hpp"
#include "recorder/session_files.hpp"
#include "recorder/session_host.hpp"
#include "recorder/session_lifecycle.hpp"
#include "recorder/session_limits.hpp"
#include "recorder/session_opening.hpp"
#include "recorder/session_texts.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/strands.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

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

  using Visibility = recorder::Visibility;

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

  /// A recording under way continues differently.
  void change(const Change& change);
  void retry_failed() { core_.give(&RecorderCore::retry_failed); }

  /// Gives an input to the core. One that arrives while another is handled waits, so `give` owns what it needs.
  void input(CoreDriver::Input give) { core_.give(std::move(give)); }

  /// Something went wrong: a recoverable fault.
  void report(const EventError& error) { core_.report(error); }

  /// An invariant is broken: reports it, once, and stops the recording.
  void end_broken(const EventError& error) { core_.end_broken(error); }

  /// Returns after the next change of what the following functions say.
  boost::asio::awaitable<void> changed() { return changed_.wait(); }

  const SessionLifecycle& lifecycle() const { return lifecycle_; }
  std::filesystem::path path() const { return files_.path(); }

  /// Whether the start succeeded.
  bool has_recorded() const { return core_.has_begun(); }

  /// Whether a text is pending that anybody may wait for.
  bool has_pending_texts() const { return texts_.are_pending(); }

  /// Texts are pending, and no worker can be started to make them.
  bool has_no_worker() const { return texts_.has_no_worker(); }

 private:
  // Opening.
  boost::asio::awaitable<std::exception_ptr> try_to_open();
  boost::asio::awaitable<std::exception_ptr> try_to_reopen(std::filesystem::path path, Redo redo);
  std::shared_ptr<SessionHost> use_strands();
  void begin(OpenedSession& opened);
  void take_over(RecorderCore::Settings settings, session::SessionWriter writer, std::uint64_t journaled,
                 SessionRunner transcriber);
  void fail_start(const std::exception_ptr& reason);

  // Ending, in this order.
  boost::asio::awaitable<void> complete_files();
  boost::asio::awaitable<void> complete_texts();
  boost::asio::awaitable<void> revise_notes();
  boost::asio::awaitable<void> deliver();
  boost::asio::awaitable<void> close_files();
  void release();

  // The life cycle's actions.
  void apply(SessionInput input);
  void apply_later(SessionInput input);
  void carry_out(SessionAction action);
  boost::asio::awaitable<void> change_capture(SessionCall call, SessionInput request, SessionState under_way);
  void report_abandoned();

  // Audio, events and texts.
  SessionFiles::Callbacks file_callbacks();
  void process(const std::vector<pipeline::StreamItem>& items);
  void carry_out(RecorderCore::Actions& actions);
  void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to);
  void events_written(const WrittenEvents& written);

  const std::weak_ptr<SessionHost> host_;
  const TimeSource time_;
  const Visibility visibility_;
  const Keeper keep_;
  Strands strands_;  // `listen` and `disk` from the opening on
  Condition changed_;
  Pointer previous_;  // while this one waits for it

  SessionLifecycle lifecycle_;
  StrandCalls calls_;
  SessionLimits limits_;
  std::exception_ptr start_failure_;

  // From the opening on.
  CoreDriver core_;
  SessionCapture capture_;  // not open: a session that is resumed, not recorded
  SessionTexts texts_;
  SessionFiles files_;
  EventStage events_;

  Frame written_until_ = 0;
  std::string reported_abandonment_;
  bool is_resumed_ = false;  // nobody waits for what its drain leaves
};

}  // namespace dictum::recorder
