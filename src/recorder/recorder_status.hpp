#pragma once

#include <filesystem>
#include <optional>

#include "base/guarded.hpp"
#include "dictum/event.hpp"

namespace dictum::recorder {

/// What a recorder says of itself: its state, and the folder of its newest session.
///
/// Thread safety: every method from any thread.
class RecorderStatus {
 public:
  RecordingState state() const { return seen_.lock()->state; }

  bool is_recording() const {
    const RecordingState now = state();
    return now != RecordingState::idle && now != RecordingState::failed;
  }

  /// Empty before the first session.
  std::optional<std::filesystem::path> session_path() const { return seen_.lock()->session_path; }

  /// Without a folder: of a start that has no session yet, which hides no state of a session that records still.
  void state_changed(RecordingState state, const std::filesystem::path& session) {
    const auto seen = seen_.lock();
    if (!session.empty()) {
      seen->session_path = session;
      seen->state = state;
    } else if (state == RecordingState::starting || seen->state == RecordingState::starting) {
      seen->state = state;
    }
  }

  void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) {
    const auto seen = seen_.lock();
    if (seen->session_path == from) seen->session_path = to;  // not where a newer session has begun
  }

 private:
  struct Seen {
    RecordingState state = RecordingState::idle;
    std::optional<std::filesystem::path> session_path;
  };
  Guarded<Seen> seen_;
};

}  // namespace dictum::recorder
