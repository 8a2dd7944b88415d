#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "tui/reduce.hpp"

namespace dictum::test {

/// A recording as a list of events: every screen is what the reducer makes of one. Times are seconds since its start,
/// 2026-11-22 15:45:01 UTC.
class Story {
 public:
  static constexpr double kStart = 1795362301;
  static constexpr const char* kSession = "20261122_154501";

  explicit Story(std::string session = kSession) : session_(std::move(session)) {
    model.spoken = {{"start a new note", "begin a note; its title is said next"}};
  }

  tui::Model model;

  Story& at(double seconds) {
    now_ = kStart + seconds;
    return *this;
  }

  Story& emit(EventBody body) {
    const Event event{session_, std::nullopt, now_, static_cast<Frame>((now_ - kStart) * 16000), std::move(body)};
    model = tui::reduce(std::move(model), event);
    return *this;
  }

  Story& state(RecordingState state, bool muted = false) {
    const bool is_recording = state != RecordingState::idle && state != RecordingState::failed;
    return emit(RecordingStateChanged{state, is_recording, state == RecordingState::paused, muted});
  }

  Story& start() {
    return state(RecordingState::starting).state(RecordingState::recording).emit(VADModeChanged{VADMode::normal, 800});
  }

  /// Levels as of somebody who speaks words, up to `until`, twenty a second; silence from `silent_from` on.
  Story& sound(double until, double silent_from) {
    for (double t = std::max(0.0, until - 12); t < until; t += 0.05) {
      at(t);
      const double word = std::abs(std::sin(t * 2.1) * std::sin(t * 5.3 + 1));
      const double ripple = 3 * std::sin(t * 17) + 2 * std::sin(t * 41);
      const bool speaks = t < silent_from;
      const double rms = speaks ? -42 + 30 * word + ripple : -54 + ripple / 2;
      const bool counts_down =
          !speaks && !model.lines.empty() && model.lines.back()->state == tui::Line::State::listening;
      emit(AudioLevel{rms, rms + 7, speaks ? std::min(0.99, 0.35 + word) : 0.02,
                      counts_down ? (t - silent_from) * 1000 : 0});
    }
    return at(until);
  }

  Story& begin_speech(std::uint32_t segment) { return emit(SpeechDetected{segment, 0}); }
  Story& end_speech(std::uint32_t segment, bool kept = true) {
    emit(SpeechEnded{segment, 2.5, kept, 0, 40000});
    return kept ? emit(TranscriptionQueued{segment, "seg.wav"}) : *this;
  }
  Story& text(std::uint32_t segment, std::string text) {
    TranscriptionComplete complete;
    complete.segment_index = segment;
    complete.text = std::move(text);
    complete.success = true;
    complete.processing_time_sec = 0.8;
    return emit(complete);
  }
  Story& failure(std::uint32_t segment, std::string code, std::string message) {
    TranscriptionComplete complete;
    complete.segment_index = segment;
    complete.error = EventError{std::move(code), std::move(message)};
    return emit(complete);
  }

  /// Speech and its text, with the times of a usual day.
  Story& said(std::uint32_t segment, double from, std::string words, double latency = 0.9) {
    return at(from)
        .begin_speech(segment)
        .at(from + 2.5)
        .end_speech(segment)
        .at(from + 2.5 + latency)
        .text(segment, std::move(words));
  }

 private:
  std::string session_;
  double now_ = kStart;
};

}  // namespace dictum::test
