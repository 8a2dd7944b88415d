#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "dictum/command.hpp"
#include "dictum/config.hpp"
#include "dictum/detail/unique_function.hpp"
#include "dictum/error.hpp"
#include "dictum/event.hpp"
#include "dictum/event_filter.hpp"
#include "dictum/export.hpp"

/// What both flavours call. Not for applications: everything in `detail` may change.
namespace dictum::detail {

/// How a call ended: success, or a code and a sentence for a person.
struct Outcome {
  std::error_code code;
  std::string sentence;
};
using Completion = UniqueFunction<void(Outcome)>;

/// The code of the RecorderFault that reports a callback that threw.
inline constexpr const char* kCallbackThrew = "callback_threw";

inline constexpr const char* kNullCallback =
    "The callback is a null pointer or an empty function: pass one that can be called.";

/// The events that wait for one subscriber. Thread-safe; one consumer at a time.
class DICTUM_API EventQueue {
 public:
  virtual ~EventQueue() = default;

  /// Takes the next event; empty where none is at hand, in which case the consumer is woken when one is.
  virtual std::optional<Event> next() = 0;

  /// The consumer has done with the event that `next` gave it.
  virtual void handled() = 0;

  /// The consumer's callback threw; reported to every subscriber as a RecorderFault.
  virtual void callback_threw(const std::string& what) = 0;

  /// No event comes any more, and `wake` is not called once this returns.
  virtual void close() = 0;
};

/// What a queue needs of whoever takes its events.
struct EventConsumer {
  /// The queue stopped being empty. Called from a thread of the runtime's and never under a lock.
  UniqueFunction<void()> wake;

  /// A session is about to begin: the last that may fail its start, by what it throws. May be empty.
  UniqueFunction<void()> prepare{};

  /// Whether `next` may read the journal of a session from disk, where the consumer has lagged; else that is done
  /// elsewhere, and `wake` follows.
  bool may_block = false;

  /// Whether the consumer looks when it likes, perhaps on the very thread that waits for a stop: then none waits for
  /// it.
  bool is_polled = false;
};

/// The queue whose callback is running on this thread, or null: a call that waits for delivery must not wait for it.
DICTUM_API EventQueue* current_delivery() noexcept;

/// For the duration of a callback.
class DICTUM_API DeliveryScope {
 public:
  explicit DeliveryScope(EventQueue* queue) noexcept;
  ~DeliveryScope();
  DeliveryScope(const DeliveryScope&) = delete;
  DeliveryScope& operator=(const DeliveryScope&) = delete;

 private:
  EventQueue* const outer_;
};

/// The runtime. Every method may be called from any thread and returns at once, but for `shut_down`; completions are
/// called on a thread of the runtime's, or from within the call, never under a lock.
class DICTUM_API Engine {
 public:
  virtual ~Engine() = default;

  /// Carries a command out; `done` is called once, with what this call ended with.
  virtual void submit(Command command, Completion done) = 0;

  virtual bool is_recording() const = 0;
  virtual RecordingState state() const = 0;
  virtual std::optional<std::filesystem::path> session_path() const = 0;

  virtual std::shared_ptr<EventQueue> subscribe(EventFilter filter, EventConsumer consumer) = 0;

  /// Whether the queue is one of this engine's subscribers.
  virtual bool delivers(const EventQueue* queue) const = 0;

  /// Whether their callbacks can run while `shut_down` waits: not where it blocks the event loop that they run on.
  enum class Subscribers { can_be_awaited, cannot_be_awaited };

  /// Ends the session as stop does, without draining, and gives every thread back; returns within two seconds.
  virtual void shut_down(Subscribers subscribers) noexcept = 0;
};

DICTUM_API std::shared_ptr<Engine> make_engine(RecorderConfig config);

}  // namespace dictum::detail
