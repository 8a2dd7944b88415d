#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace dictum::recorder {

/// What a session is doing, from the call that begins it to the closing of its files. In the order in which a session
/// goes through them, on which the predicates of `SessionLifecycle` (`captures()` ...) rely.
enum class SessionState {
  waiting,     // for the session before it to close
  starting,    // its parts are being opened
  cancelling,  // the start was cancelled: what has been opened is being closed
  recording,
  pausing,
  paused,
  resuming,
  stopping,    // capture has been asked to close
  completing,  // capture is closed, its files are being completed
  draining,    // the files are complete, texts are pending
  background,  // the same, and no call waits for the texts
  revising,    // every text is there, notes are being made to follow revised ones
  delivering,  // the last events are on their way to the subscribers
  finishing,   // the files are being closed
  ended,
};

/// What can happen to a session.
enum class SessionInput {
  previous_closed,  // the session before it has complete files
  opened,           // every part is open: audio follows
  reopened,         // a session that is on disk already: only texts are missing
  open_failed,      // a part could not be opened, and the others are closed again
  cancel,           // the caller cancelled the start
  stop,             // a caller's
  stop_internal,    // "stop recording" was said, an invariant is broken, or too many events wait for the journal
  shut_down,        // the recorder is being destroyed
  pause,
  resume,
  capture_paused,
  pause_failed,
  capture_resumed,
  resume_failed,
  capture_closed,  // by a stop, by the end of the input, by a failure
  files_complete,
  texts_requested,  // a retry
  texts_complete,   // none is pending, or they were abandoned
  drain_expired,
  notes_revised,
  journal_given_up,  // the last events were delivered though the disk does not answer
  delivered,
  files_closed,
  limit_expired,  // the time that `arm_cancel_limit`, `arm_stop_limit` or `shorten_limit` gave
  broken,         // it cannot be carried out any further: for want of memory, or by a defect
};

/// What the session has to do about it, in this order.
enum class SessionAction {
  arm_cancel_limit,
  arm_stop_limit,
  shorten_limit,  // a second stop: whatever holds it up gets `kSecondStopLimit` more
  clear_limit,
  ask_pause,
  ask_resume,
  close_capture,
  arm_drain,         // expires at `drain_deadline()`
  abandon_parts,     // the device or the disk does not answer: what begins now runs on other strands
  report_abandoned,  // say what is not safe
  report_pending,    // say which texts are still to come
  abandon_texts,
};

/// A caller's request that depends on what the session is doing.
enum class SessionCall { start, pause, resume, change, retry };

/// What becomes of it.
enum class CallDecision {
  accept,        // it is carried out
  done,          // it is so already
  join,          // the same is under way: ends with it
  ask_again,     // once the state has changed
  next_session,  // this session has nothing to do with it any more
  refuse,
};

/// The rules of one session's life: which call means what in which state, what follows what, and what has a time limit.
///
/// Threads: none; one call at a time (the session calls it on the `loop` strand). No input or output, no clock and no
/// timer: deadlines are values. Owner: the session. Never fails.
class SessionLifecycle {
 public:
  using Actions = std::vector<SessionAction>;
  using Time = std::chrono::steady_clock::time_point;

  /// A stop may take two seconds: the remainder is for the events of its end.
  static constexpr auto kStopLimit = std::chrono::milliseconds(1500);
  /// How much longer a stop may take that was requested again.
  static constexpr auto kSecondStopLimit = std::chrono::milliseconds(500);
  /// How long a cancelled start waits for a device or a disk.
  static constexpr auto kCancelLimit = std::chrono::milliseconds(1000);
  /// Longer than any device takes to open: a pause or a resume fails then, and the recording is as it was.
  static constexpr auto kAnswerLimit = std::chrono::seconds(10);

  explicit SessionLifecycle(SessionState state = SessionState::waiting) : state_(state) {}

  /// Takes an input. One that means nothing in this state changes nothing.
  Actions apply(SessionInput input);

  /// Before `stop`: until when that call waits for texts. The earliest of several holds.
  void limit_drain(Time deadline);

  /// Empty: no limit.
  std::optional<Time> drain_deadline() const { return drain_deadline_; }

  CallDecision decide(SessionCall call) const;

  SessionState state() const { return state_; }

  /// Whether the start was asked for and can still be cancelled.
  bool can_cancel_start() const { return state_ <= SessionState::starting; }

  /// Whether parts are being opened, or closed again.
  bool is_opening() const { return state_ == SessionState::starting || state_ == SessionState::cancelling; }

  /// Whether it is decided how the start ends.
  bool has_started() const { return state_ > SessionState::cancelling; }

  /// Whether a start that waits, or is under way, is not to go on.
  bool is_cancelled() const { return state_ == SessionState::cancelling || state_ == SessionState::ended; }

  /// Whether capture is open: recording, paused, or on the way from one to the other.
  bool captures() const { return state_ >= SessionState::recording && state_ <= SessionState::resuming; }

  /// Whether capture was closed, and will not open again.
  bool has_closed_capture() const { return state_ >= SessionState::completing; }

  /// Whether every text and note is there that the session waits for.
  bool is_complete() const { return state_ >= SessionState::delivering; }

  /// Whether capture is closed and the files are complete, or were given up: the next session may begin.
  bool is_closed() const { return state_ > SessionState::completing; }

  /// Whether a stop has nothing more to wait for.
  bool is_stopped() const { return state_ == SessionState::background || state_ == SessionState::ended; }

  bool has_ended() const { return state_ == SessionState::ended; }

  /// Whether the device or the disk was left behind: what still comes from them is ignored. Not where the disk is only
  /// late with the end of the files: it may still answer.
  bool is_abandoned() const { return abandoned_; }

 private:
  Actions follow(SessionInput input);
  Actions shut_down();
  Actions limit_if_stopped() const;
  Actions enter(SessionState state, Actions actions = {});
  Actions request_stop();
  Actions limit_ending();
  Actions drain(Actions actions);
  Actions abandon();

  SessionState state_;
  std::optional<Time> drain_deadline_;
  int stop_requests_ = 0;
  bool abandoned_ = false;
};

std::string_view to_string(SessionState state) noexcept;

}  // namespace dictum::recorder
