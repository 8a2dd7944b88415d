#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/capture_loop.hpp"
#include "recorder/recorder_core.hpp"
#include "recorder/strands.hpp"
#include "recorder/time_source.hpp"
#include "session/session_writer.hpp"
#include "transcription/find_transcriber.hpp"

/// What a session is made of, opened step by step, each step on the strand that it may block. Whatever has been opened
/// is closed again, on that strand, by the destruction of what these functions return.
namespace dictum::recorder {

/// Before the device: programs, models and the detector.
struct Preparation {
  std::optional<transcription::WorkerPoolSettings> pool;  // empty: none is configured, or a transcriber of the user's
  std::unique_ptr<VoiceActivityDetector> detector;
  std::vector<EventError> warnings;
  std::vector<std::string> vocabulary;  // likely to be said
};

/// On `listen`. Throws what the configuration's factories throw.
Preparation prepare(const RecorderConfig& config);

/// On `listen`: the open source, and its format.
struct OpenCapture {
  OnStrand<pipeline::CaptureLoop> loop;
  AudioFormat format{};
};
OpenCapture open_capture(const RecorderConfig& config, const TimeSource& time,
                         std::unique_ptr<VoiceActivityDetector> detector, boost::asio::any_io_executor listen);

/// On `disk`: the folder of a new session, which goes again with this object unless it is kept.
class NewSession {
 public:
  NewSession(const RecorderConfig& config, std::chrono::system_clock::time_point started, int sample_rate,
             const std::string& source);
  ~NewSession();
  NewSession(const NewSession&) = delete;
  NewSession& operator=(const NewSession&) = delete;

  const std::filesystem::path& path() const { return writer_->path(); }
  const std::string& name() const { return writer_->name(); }

  /// Gives the session to whoever records it.
  session::SessionWriter keep();

 private:
  std::vector<std::filesystem::path> made_;  // folders that were not there before
  std::optional<session::SessionWriter> writer_;
};

/// On `disk`: a session that exists, recovered as far as its files go.
struct ReopenedSession {
  std::optional<transcription::WorkerPoolSettings> pool;
  session::SessionWriter writer;
  std::vector<Event> journal;
  std::vector<std::string> vocabulary;
};

/// Throws RecorderError: session_locked, session_unreadable, transcriber_missing ...
ReopenedSession reopen(const RecorderConfig& config, const std::filesystem::path& session,
                       std::chrono::system_clock::time_point now);

/// The core's settings for a session that is recorded with this configuration, or was.
RecorderCore::Settings core_settings(const RecorderConfig& config, const std::filesystem::path& session,
                                     int sample_rate, bool transcribes);
RecorderCore::Settings core_settings(const RecorderConfig& config, const session::SessionWriter& session,
                                     bool transcribes);

}  // namespace dictum::recorder
