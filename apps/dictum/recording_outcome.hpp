#pragma once

#include <atomic>
#include <string>

#include "dictum/event.hpp"
#include "exit_code.hpp"

namespace dictum::program {

/// What became of a recording, by its events: whether something was left undone, and which texts are missing.
///
/// Threads: `take` on the delivery thread; the rest on any, `print_missing` once no more events come.
class RecordingOutcome {
 public:
  void take(const Event& event);

  /// Whether the recording has stopped, by itself or because somebody stopped it. Its texts may still come.
  bool has_stopped() const { return has_stopped_; }

  /// Whether something but the texts was not done.
  bool has_failed() const { return has_failed_ || (lacks_transcriber_ && waiting_for_text_ > 0); }

  int segments() const { return segments_; }
  int without_text() const { return without_text_; }
  int waiting_for_text() const { return waiting_for_text_; }
  ExitCode code() const { return has_failed() || without_text_ > 0 ? ExitCode::failure : ExitCode::success; }

  /// The first fault that left something undone; empty where there was none. Once no more events come.
  const std::string& why() const { return why_; }

  /// Prints on standard error which texts are missing, and what makes them.
  void print_missing(const std::string& session) const;

 private:
  std::atomic<bool> has_stopped_{false};
  std::atomic<bool> has_failed_{false};
  std::atomic<bool> lacks_transcriber_{false};
  std::atomic<int> segments_{0};  // that are kept
  std::atomic<int> without_text_{0};
  std::atomic<int> waiting_for_text_{0};
  std::string why_without_text_;  // of the first one
  std::string why_;
};

}  // namespace dictum::program
