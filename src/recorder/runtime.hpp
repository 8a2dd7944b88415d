#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/timer.hpp"
#include "dictum/detail/engine.hpp"
#include "recorder/reply.hpp"
#include "recorder/session.hpp"
#include "recorder/strands.hpp"
#include "recorder/subscribers.hpp"

namespace dictum::recorder {

/// What stands behind a backend of either flavour, from its construction to its end, over all its sessions: carries out
/// commands, and owns the sessions, the subscribers, the pool of workers and the threads. What a command means is
/// decided by the session's life cycle and its core.
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
  bool is_recording() const override;
  RecordingState state() const override;
  std::optional<std::filesystem::path> session_path() const override;
  std::shared_ptr<detail::EventQueue> subscribe(EventFilter filter, detail::EventConsumer consumer) override;
  bool delivers(const detail::EventQueue* queue) const override;
  void shut_down(Subscribers subscribers) noexcept override;

  /// Finishes a session that a crash or a deadline left unfinished: recovers its files and transcribes what has no
  /// text yet, and what `redo` says. Done when nothing is left to wait for.
  /// `drain_sec`: how long texts are waited for; negative: no limit.
  void resume_session(std::filesystem::path session, Redo redo, double drain_sec, detail::Completion done);

 private:
  using Awaitable = boost::asio::awaitable<void>;

  // SessionHost.
  Strands strands() const override;
  RecorderConfig config() const override;
  SessionRunner transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) override;
  void state_changed(RecordingState state, const std::filesystem::path& session) override;
  void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void replace_strands() override;
  recorder::Subscribers& subscribers() override { return subscribers_; }

  // Commands, on the loop strand. They throw what they fail with. Whoever spawns a coroutine of this object keeps it.
  Awaitable execute(Command command);
  Awaitable carry_out(StartRecording command);
  Awaitable carry_out(CancelStart command);
  Awaitable carry_out(StopRecording command);
  Awaitable carry_out(PauseRecording command);
  Awaitable carry_out(ResumeRecording command);
  Awaitable carry_out(SetVADMode command);
  Awaitable carry_out(SetMuted command);
  Awaitable carry_out(SetDevice command);
  Awaitable carry_out(SetVocabulary command);
  Awaitable carry_out(CompleteNote command);
  Awaitable carry_out(RetryFailed command);
  Awaitable carry_out(WaitUntilIdle command);

  /// The loop strand, for a call that begins now; empty where nothing was started. `makes_threads`: they are made where
  /// there are none, or that throws.
  std::optional<boost::asio::any_io_executor> begin_call(bool makes_threads);
  void end_call();
  void give_threads_back();
  void spawn(const boost::asio::any_io_executor& loop, Awaitable call, Reply reply);

  Session::Pointer make_session(Session::Visibility visibility);
  void start_session();

  // Not owned: valid until something is awaited. Null where there is none, or that throws.
  Session* newest() const;
  Session* begun() const;
  Session& recording(SessionCall call) const;
  Session* of_folder(const std::filesystem::path& path) const;
  Session* busy_session() const;

  void remove(const Session& session);
  std::optional<SessionLifecycle::Time> drain_deadline(double drain_sec) const;
  Awaitable resume(std::filesystem::path session, Redo redo, Session::Visibility visibility,
                   std::optional<SessionLifecycle::Time> drain_deadline = std::nullopt);
  Awaitable end_sessions();

  void report(const EventError& error);
  void end_broken(const EventError& error);
  void report_exception(const std::exception_ptr& thrown) noexcept;
  void remove_remains();
  void finish_old_sessions();
  Awaitable finish_sessions(std::vector<std::filesystem::path> unfinished);
  void delete_old_sessions();

  /// Shared by all threads.
  struct Shared {
    std::unique_ptr<WorkThreads> threads;  // null: the caller's pool, or none yet
    std::optional<Strands> strands;        // empty: nothing was started, or its threads were given back
    RecordingState state = RecordingState::idle;
    std::optional<std::filesystem::path> session_path;
    std::string device;                                  // of the next start
    std::optional<std::vector<std::string>> vocabulary;  // the same, if it was set
    bool is_shut_down = false;
    bool strands_were_replaced = false;
    std::size_t calls = 0;  // that have not ended
  };

  const RecorderConfig config_;
  const TimeSource time_;
  const boost::asio::any_io_executor given_work_;
  Guarded<Shared> shared_;
  recorder::Subscribers subscribers_;

  // The loop strand's.
  std::vector<Session::Pointer> sessions_;  // that are recorded, or were; the newest is the last
  std::vector<Session::Pointer> resumed_;
  std::unique_ptr<transcription::JobRunner> pool_;        // outlives the sessions that it serves
  std::unique_ptr<transcription::JobRunner> later_pool_;  // whose workers yield to those of the other
  bool removed_remains_ = false;
  bool looked_for_unfinished_ = false;
  bool threads_are_unused_ = false;  // a start failed, and nothing else needs them
};

}  // namespace dictum::recorder
