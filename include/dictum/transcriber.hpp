#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum {

/// One segment to be turned into text.
struct TranscriptionJob {
  std::string session;  ///< with `segment_index` the identity of the job
  std::uint32_t segment_index{};
  std::filesystem::path wav_path;  ///< absolute; mono PCM16
  Frame start_frame{};             ///< of the kept audio, on the session's clock
  Frame end_frame{};               ///< exclusive
  int sample_rate{};
  std::string language;                   ///< BCP 47, or empty for the engine's own choice
  std::vector<std::string> phrases;       ///< worth listening for: the note commands
  std::vector<std::string> vocabulary{};  ///< names and terms that are likely to be said; the first count most
  /// Exclusive: what is to be transcribed ends here, though the file may go on, or still grow. Absent: `end_frame`.
  std::optional<Frame> audio_end_frame{};
};

/// What became of a job.
struct TranscriptionOutcome {
  std::string text;
  std::optional<EventError> error;  ///< set where every attempt failed
  std::vector<Word> words;
  std::vector<DetectedPhrase> phrases;
  std::optional<double> no_speech_probability;
  bool suspect{};
  std::string suspect_reason{};  ///< one sentence for a person; empty where it is not suspect
  std::vector<std::string> annotations{};
  std::string engine{};
  std::string model{};
  std::string language{};
  std::chrono::duration<double> processing_time{};  ///< of the attempt that answered
};

/// Passed to `audio_time` when the stream is over.
inline constexpr Frame kEndOfAudio = std::numeric_limits<Frame>::max();

/// Turns segments into text. The pool of worker processes is one; user code may supply another
/// (`RecorderConfig::custom_transcriber`).
///
/// Threads: every method is called one at a time, on the recorder's `loop` strand, and must not block. `done` may be
/// called from any thread, also from inside `transcribe`, exactly once.
class Transcriber {
 public:
  using Done = std::function<void(TranscriptionOutcome)>;

  virtual ~Transcriber() = default;

  /// Takes a job. Jobs come in segment order; answers may come in any order.
  virtual void transcribe(TranscriptionJob job, Done done) = 0;

  /// The audio clock of the recording has come to `frame`; `kEndOfAudio` when the stream is over.
  virtual void audio_time(Frame /*frame*/) {}

  /// The segment of `growing` is still being spoken; its file has whole frames up to `end_frame` by now. Called again
  /// and again as it grows. A transcriber may report interim text of it; the default does not.
  virtual void preview(TranscriptionJob /*growing*/) {}

  /// That segment has ended: no more interim text of it.
  virtual void end_preview(std::uint32_t /*segment_index*/) {}

  /// Gives up what has not been answered: no further `done` is called once this returns. Called before destruction.
  virtual void abandon() = 0;
};

}  // namespace dictum
