#pragma once

#include <filesystem>
#include <optional>

#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "recorder/session_runner.hpp"
#include "recorder/strands.hpp"
#include "recorder/subscribers.hpp"
#include "transcription/worker_pool_settings.hpp"

namespace dictum::recorder {

/// Whether somebody waits for the texts of what is being recorded, or they are those of a recording that has ended.
enum class Urgency { live, later };

/// What a session needs of the recorder that it belongs to. Called on the `loop` strand.
class SessionHost {
 public:
  virtual ~SessionHost() = default;

  /// Where a session that begins now does its work: not where an older one was left behind.
  virtual Strands strands() const = 0;

  /// The configuration as it is now: the device may have been changed.
  virtual RecorderConfig config() const = 0;

  /// Empty where nothing is to be transcribed. Throws what a factory throws.
  virtual SessionRunner transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) = 0;

  /// The start begins, ends in a session (whose folder is `session`) or fails.
  virtual void state_changed(RecordingState state, const std::filesystem::path& session) = 0;

  /// Somebody moved the session's folder.
  virtual void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) = 0;

  /// The device or the disk does not answer: what runs on `listen` and `disk` from now on needs others.
  virtual void replace_strands() = 0;

  virtual Subscribers& subscribers() = 0;
};

}  // namespace dictum::recorder
