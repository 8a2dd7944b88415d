#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "session/session_writer.hpp"

namespace dictum::test {

inline constexpr int kRate = 16000;

/// 2026-11-22 15:45:01.250 UTC
inline constexpr std::chrono::system_clock::time_point kStarted{std::chrono::milliseconds(1795362301250)};

session::SessionInfo info(bool transcribes = true);

std::string content_of(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& content);

/// Writes a session as the recorder does: audio first, then its event; one second of the clock is one
/// second of time.
class Scribe {
 public:
  explicit Scribe(session::SessionWriter& writer);

  void emit(Frame frame, EventBody body);

  void start();
  void silence(Frame frames) {
    captured_ += frames;
    now_ += frames;
  }
  void gap(Frame frames, GapReason reason);

  /// A segment with `pre_roll` frames kept before its speech, written in blocks of 512, and as much after it.
  std::uint32_t speak(Frame frames, bool kept = true, Frame pre_roll = 800);
  void queue(std::uint32_t index);
  void transcribe(std::uint32_t index, const std::string& text, int revision = 0);
  void fail_transcription(std::uint32_t index, const std::string& why, int revision = 0);
  void note(const std::string& title, const std::string& text, const std::vector<std::uint32_t>& segments);

  void stop();    // emits idle
  void finish();  // and everything is closed

  Frame now() const { return now_; }

 private:
  session::SessionWriter& writer_;
  std::uint64_t sequence_;
  std::uint32_t segments_ = 0;
  int notes_ = 0;
  Frame captured_ = 0;
  Frame now_ = 0;
};

/// A finished session with three kept segments, a discarded one, a gap, a failure, a note and a mode change. Its path.
std::filesystem::path make_session(const std::filesystem::path& root, bool transcribes = true);

}  // namespace dictum::test
