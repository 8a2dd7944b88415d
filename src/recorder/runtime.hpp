#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/guarded.hpp"
#include "base/timer.hpp"
#include "dictum/detail/engine.hpp"
#include "recorder/command_runner.hpp"
#include "recorder/housekeeping.hpp"
#include "recorder/recorder_status.hpp"
#include "recorder/reply.hpp"
#include "recorder/strand_supply.hpp"
#include "recorder/subscribers.hpp"
#include "recorder/transcribers.hpp"

namespace dictum::recorder {

/// What stands behind a backend of either flavour, from its construction to its end, over all its sessions: gives
/// commands to `CommandRunner`, and owns what its sessions share: the subscribers, the workers and the threads.
///
/// Threads: the methods of Engine from any thread; they go to the `loop` strand, where everything else happens.
/// Owner: the backend, and the handlers under way.
class Runtime final : public detail::Engine, public SessionHost, public std::enable_shared_from_this<Runtime> {
 public:
  /// `work` is a pool of the caller's, or empty for threads of our own. Opens nothing and starts nothing.
  Runtime(RecorderConfig config, boost::asio::any_io_executor work,
          std::shared_ptr<const Timers> timers = std::make_shared<const SystemTimers>());
  ~Runtime() override;

  void submit(Command command, detail::Completion done) override;
  bool is_recording() const override { return status_.is_recording(); }
  RecordingState state() const override { return status_.state(); }
  std::optional<std::filesystem::path> session_path() const override { return status_.session_path(); }
  std::shared_ptr<detail::EventQueue> subscribe(EventFilter filter, detail::EventConsumer consumer) override;
  bool delivers(const detail::EventQueue* queue) const override { return subscribers_.contains(queue); }
  void shut_down(Subscribers subscribers) noexcept override;

  /// Finishes a session that a crash or a deadline left unfinished: recovers its files and transcribes what has no
  /// text yet, and what `redo` says. Done when nothing is left to wait for.
  /// `drain_sec`: how long texts are waited for; negative: no limit.
  void resume_session(std::filesystem::path session, Redo redo, double drain_sec, detail::Completion done);

 private:
  using Awaitable = boost::asio::awaitable<void>;

  // SessionHost.
  Strands strands() const override { return strands_.strands(); }
  RecorderConfig config() const override;
  SessionRunner transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) override;
  void state_changed(RecordingState state, const std::filesystem::path& session) override {
    status_.state_changed(state, session);
  }
  void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) override {
    status_.folder_moved(from, to);
  }
  void replace_strands() override { strands_.replace(); }
  recorder::Subscribers& subscribers() override { return subscribers_; }

  CommandRunner::Parts runner_parts();
  ExceptionHandler exception_handler();

  /// Whoever spawns a coroutine of this object keeps it.
  void spawn(const boost::asio::any_io_executor& loop, Awaitable call, Reply reply);
  void give_threads_back();
  void session_started();

  /// The threads are not given back while somebody has it.
  std::shared_ptr<const void> counted_call();
  Awaitable end_sessions();

  /// Works on the session that is being recorded; where there is none, nothing happens. From any thread.
  void with_session(std::function<void(Session&)> work);
  void report(const EventError& error);
  void report_exception(const std::exception_ptr& thrown) noexcept;

  const RecorderConfig config_;
  const TimeSource time_;
  StrandSupply strands_;
  Guarded<RecorderConfig> next_config_;  // of the next start
  RecorderStatus status_;
  recorder::Subscribers subscribers_;

  // The loop strand's.
  Transcribers transcribers_;  // outlive the sessions that they serve
  Housekeeping housekeeping_;
  CommandRunner commands_;
  bool threads_are_unused_ = false;  // a start failed, and nothing else needs them
};

}  // namespace dictum::recorder
