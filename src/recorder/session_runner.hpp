#pragma once

#include <memory>
#include <utility>

#include "transcription/job_runner.hpp"

namespace dictum::recorder {

/// Who transcribes for one session: the recorder's pool, which outlives the session; or a transcriber of the user's,
/// which is the session's own, and is abandoned and destroyed with this. Empty where nothing is transcribed.
///
/// Threads: lives on the `loop` strand. Owner: the session.
class SessionRunner {
 public:
  SessionRunner() = default;
  explicit SessionRunner(transcription::JobRunner& pool) : runner_(&pool) {}
  explicit SessionRunner(std::unique_ptr<transcription::JobRunner> own) : own_(std::move(own)), runner_(own_.get()) {}
  SessionRunner(SessionRunner&& other) noexcept
      : own_(std::move(other.own_)),
        runner_(std::exchange(other.runner_, nullptr)),
        is_abandoned_(other.is_abandoned_) {}
  SessionRunner& operator=(SessionRunner other) noexcept {
    std::swap(own_, other.own_);
    std::swap(runner_, other.runner_);
    std::swap(is_abandoned_, other.is_abandoned_);
    return *this;
  }
  ~SessionRunner() { abandon(); }

  explicit operator bool() const { return runner_ != nullptr; }
  transcription::JobRunner* operator->() const { return runner_; }

  /// No result is wanted any more. The pool goes on for other sessions.
  void abandon() noexcept {
    if (std::exchange(is_abandoned_, true) || !own_) return;
    try {
      own_->abandon();
    } catch (...) {  // the user's own: it is given up all the same
    }
  }
  bool is_abandoned() const { return is_abandoned_; }

 private:
  std::unique_ptr<transcription::JobRunner> own_;  // null: the pool's, or none
  transcription::JobRunner* runner_ = nullptr;
  bool is_abandoned_ = false;
};

}  // namespace dictum::recorder
