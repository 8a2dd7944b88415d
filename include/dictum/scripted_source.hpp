#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dictum/clock.hpp"
#include "dictum/export.hpp"
#include "dictum/source.hpp"
#include "dictum/transcriber.hpp"
#include "dictum/vad.hpp"

namespace dictum {

namespace capture {
struct ScriptTimeline;
}

/// A recording as a script, for the tests of front ends: no microphone, no model, no recogniser, and the same events
/// every time.
///
///     const Script script({{.text = "start a new note", .speech_sec = 1.5, .pause_sec = 2}, ...});
///     config.source = script.source();
///     config.detector = script.detector();
///     config.custom_transcriber = script.transcriber();
///
/// An immutable value: safe from any thread, cheap to copy; what the factories make may outlive it.
class DICTUM_API Script {
 public:
  struct Line {
    std::string text;
    double speech_sec = 1;
    double pause_sec = 2;  ///< the silence after it
  };

  /// The lines follow each other after `lead_sec` of silence. Throws RecorderError(invalid_argument) for a time that is
  /// negative or not finite, or for more than 24 hours in all.
  explicit Script(std::vector<Line> lines, double lead_sec = 1, int sample_rate = 16000);

  /// A tone for each line and digital silence between them; the stream ends after the last pause. As fast as it is
  /// read, or in real time by `clock` where one is given.
  std::function<std::unique_ptr<AudioSource>()> source(std::shared_ptr<const Clock> clock = nullptr) const;

  /// Detects the tone: 1 in every window that holds some of it, 0 in the others. A pause of the recording, or muting,
  /// does to it what they do to a real one.
  std::function<std::unique_ptr<VoiceActivityDetector>()> detector() const;

  /// Answers with the words that the script says in a segment's frames, each with its times; a line that is split over
  /// two segments is split between its words. The answer comes once the audio clock is `latency_sec` past the
  /// segment's end. It goes by the audio clock alone, which a pause of the recording moves away from the script.
  std::function<std::unique_ptr<Transcriber>()> transcriber(double latency_sec = 0) const;

 private:
  std::shared_ptr<const capture::ScriptTimeline> timeline_;
};

}  // namespace dictum
