#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "dictum/detail/engine.hpp"
#include "recorder/executors.hpp"
#include "recorder/run.hpp"

namespace dictum::recorder {

/// What stands behind a backend of either flavour, from its construction to its end, over all its sessions: the life
/// cycle (who may start and stop when, and who waits for what), the subscribers, and the pool of workers.
///
/// Threads: the methods of Engine from any thread; they post to the `loop` strand, where everything else happens.
/// Owner: the backend, and the handlers under way.
class Runtime final : public detail::Engine, public std::enable_shared_from_this<Runtime> {
 public:
  /// `work` is a pool of the caller's, or empty for threads of our own. Opens nothing and starts nothing.
  Runtime(RecorderConfig config, boost::asio::any_io_executor work);
  ~Runtime() override;

  void start(detail::Completion done) override;
  void cancel_start() override;
  void stop(std::optional<std::chrono::duration<double>> drain, detail::Completion done) override;
  void pause(detail::Completion done) override;
  void resume(detail::Completion done) override;
  void set_vad_mode(VADMode mode, detail::Completion done) override;
  void set_muted(bool muted, detail::Completion done) override;
  void set_device(std::string device, detail::Completion done) override;
  void complete_note(detail::Completion done) override;
  void retry_failed(detail::Completion done) override;
  void wait_until_idle(detail::Completion done) override;
  bool is_recording() const override;
  RecordingState state() const override;
  std::optional<std::filesystem::path> session_path() const override;
  std::shared_ptr<detail::EventQueue> subscribe(EventFilter filter, detail::EventConsumer consumer) override;
  bool delivers(const detail::EventQueue* queue) const override;
  void shut_down(Subscribers subscribers) noexcept override;

  /// Finishes a session that a crash or a deadline left unfinished: recovers its files and transcribes what has no
  /// text yet, and what `redo` says. Done when nothing is left to wait for.
  void resume_session(std::filesystem::path session, Redo redo, detail::Completion done);

 private:
  struct Waiter {
    std::function<bool()> ready;
    std::shared_ptr<detail::Completion> done;
  };
  struct Attempt;  // of a start

  /// Posts to the loop strand; false where there is none: nothing was started, or its threads were given back.
  bool on_loop(std::function<void()> work);

  /// The same, with threads made where there are none. Throws where there can be none.
  void on_loop_with_threads(std::function<void()> work);
  void post_to_loop(std::function<void()> work);  // under the mutex

  /// Posts to the disk strand; false where there is none.
  bool on_disk(std::function<void()> work);
  bool is_shut_down() const;
  std::optional<Executors> executors() const;  // for something new; empty once shut down

  void start_on_loop(std::shared_ptr<detail::Completion> done);
  void cancel_attempt();
  void begin_start(std::shared_ptr<Attempt> attempt);
  void prepare_capture(std::shared_ptr<Attempt> attempt);
  void prepare_transcriber(std::shared_ptr<Attempt> attempt);
  void prepare_session(std::shared_ptr<Attempt> attempt);
  void finish_start(std::shared_ptr<Attempt> attempt);
  void roll_back_capture(std::shared_ptr<Attempt> attempt, detail::Outcome outcome);
  void fail_start(std::shared_ptr<Attempt> attempt, detail::Outcome outcome);
  void complete_starts(const detail::Outcome& outcome);
  std::shared_ptr<Transcriber> transcriber_for(const Attempt& attempt);
  std::shared_ptr<Run> add_run(Run::Parts parts, bool publishes);

  void stop_on_loop(std::optional<std::chrono::duration<double>> drain, std::shared_ptr<detail::Completion> done);
  void with_run(std::function<void(Run&, std::shared_ptr<detail::Completion>)> work, detail::Completion done);
  void wait_for(std::function<bool()> ready, std::shared_ptr<detail::Completion> done);
  void changed();
  void settle(const std::shared_ptr<Run>& run);
  void replace_stuck_strands();
  void give_threads_back();
  void flush_delivery(const boost::asio::any_io_executor& loop, std::function<void()> done);
  std::vector<std::shared_ptr<delivery::EventQueue>> mailboxes() const;
  void prepare_subscribers();
  void excuse_subscribers();
  void publish(const Event& event, const std::shared_ptr<delivery::JournalView>& journal);
  void callback_threw(const std::string& what);
  void tell_fault(const EventError& error);
  void finish_old_sessions();
  void delete_old_sessions();
  void finish_next(std::shared_ptr<std::deque<std::filesystem::path>> left);
  void resume_on_disk(std::filesystem::path session, Redo redo, bool publishes,
                      std::shared_ptr<detail::Completion> done);

  const RecorderConfig config_;
  const std::shared_ptr<const Clock> clock_;
  const boost::asio::any_io_executor given_work_;

  // Shared by all threads.
  mutable std::mutex mutex_;
  std::shared_ptr<WorkThreads> threads_;
  std::optional<Executors> executors_;
  std::vector<std::shared_ptr<delivery::EventQueue>> mailboxes_;
  RecordingState state_ = RecordingState::idle;
  std::optional<std::filesystem::path> session_path_;
  std::string device_;  // of the next start
  bool shut_down_ = false;
  bool strands_were_replaced_ = false;
  std::size_t calls_ = 0;  // posted to the loop strand and not done yet

  // The loop strand's.
  bool threads_are_spare_ = false;  // a start failed, and nothing else needs them
  std::shared_ptr<Attempt> attempt_;
  std::vector<std::shared_ptr<detail::Completion>> start_waiters_;
  std::shared_ptr<Run> run_;               // the newest session, until it is finished
  std::list<std::shared_ptr<Run>> older_;  // sessions that are being transcribed while the next records, or resumed
  std::list<Waiter> waiters_;
  bool looked_for_unfinished_ = false;
  bool looking_at_waiters_ = false;
  bool changed_again_ = false;
  std::shared_ptr<Transcriber> pool_;
};

}  // namespace dictum::recorder
