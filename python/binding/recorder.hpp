#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "dictum/config.hpp"
#include "dictum/detail/engine.hpp"
#include "notifier.hpp"
#include "one_process.hpp"

/// The engine as Python sees it: calls that return at once, and a notifier that is set when there is news. Which loop
/// or thread waits for the notifier is decided in Python, where the two flavours are.
namespace dictum::python {

/// An operation under way. Thread-safe. Owner: Python.
class Call {
 public:
  bool done() const;

  /// Throws RecorderError where the operation failed; nothing where it succeeded or is still under way.
  void check() const;

 private:
  friend class Recorder;
  struct State {
    mutable std::mutex mutex;
    std::optional<detail::Outcome> outcome;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// The events for one consumer. Thread-safe but for `next` and `handled`: one consumer at a time. Owner: Python, which
/// destroys it with the GIL. In a process that was forked off no event comes.
class Subscription {
 public:
  Subscription(detail::Engine& engine, bool ephemeral, std::shared_ptr<Notifier> notifier, bool may_block);
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  /// The next event as a line of JSON; empty where none waits, in which case the notifier is set when one does.
  std::optional<std::string> next();
  void handled();
  void callback_threw(const std::string& what);
  void close();

 private:
  friend class Recorder;
  OneProcess process_;
  std::shared_ptr<detail::EventQueue> queue_;
};

/// From its first start to its end. Thread-safe. Owner: a backend of either flavour, in Python, which destroys it with
/// the GIL. Every method throws RecorderError(invalid_state) in a process that was forked off; there the destructor
/// lets everything be.
class Recorder {
 public:
  explicit Recorder(RecorderConfig config);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  /// `may_block`: whether `next` may read files, which it does for a consumer that lags.
  std::unique_ptr<Subscription> subscribe(bool ephemeral, std::shared_ptr<Notifier> notifier, bool may_block);

  /// Carries a command out, which is JSON; throws RecorderError(invalid_argument) where it is none.
  /// `caller`: the subscription whose callback is calling; a stop does not wait for it.
  std::unique_ptr<Call> submit(std::string_view command, const Subscription* caller,
                               std::shared_ptr<Notifier> notifier);

  bool is_recording() const;
  std::string_view state() const;
  std::optional<std::filesystem::path> session_path() const;

  /// Ends the session without draining, within two seconds, for which it blocks. In a forked process: nothing.
  void shut_down(bool subscribers_can_be_awaited) noexcept;

 private:
  detail::Engine& engine() const;

  OneProcess process_;
  std::shared_ptr<detail::Engine> engine_;
};

}  // namespace dictum::python
