#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "dictum/recorder_backend.hpp"
#include "recorder/event_log.hpp"
#include "recorder/recordings.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/processes.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using Days = std::chrono::days;

/// Sessions of a hundred days ago, and a recorder of today.
class Retention : public testing::Test {
 protected:
  static std::chrono::sys_days today() { return std::chrono::year(2026) / 11 / 22; }

  static RecorderConfig at(std::chrono::system_clock::time_point time, RecorderConfig config) {
    config.clock = std::make_shared<ManualClock>(time);
    return config;
  }

  /// Records to the end of the script; the session.
  static std::filesystem::path record(const RecorderConfig& config) {
    test::EventLog log;
    RecorderBackend recorder(config, [&](const Event& event) { log.add(event); });
    recorder.start_recording();
    EXPECT_TRUE(log.wait_for_state(RecordingState::idle));
    recorder.stop_recording();
    return recorder.get_session_path();
  }

  RecorderConfig plain() const { return test::scripted(root.path()); }

  RecorderConfig note() const {
    const Script script({{.text = "start a new note", .speech_sec = 1, .pause_sec = 1},
                         {.text = "groceries", .speech_sec = 1, .pause_sec = 1},
                         {.text = "bread", .speech_sec = 1, .pause_sec = 1}});
    RecorderConfig config = plain();
    config.source = script.source();
    config.detector = script.detector();
    config.custom_transcriber = script.transcriber();
    return config;
  }

  static bool is_gone(const std::filesystem::path& session) {
    return transcription::soon([&] { return !std::filesystem::exists(session); }, 10s);
  }

  test::TemporaryDirectory root;
};

TEST_F(Retention, DeletesNothingUnlessItIsConfigured) {
  const auto old = record(at(today() - Days(10'000), plain()));
  record(at(today(), plain()));
  EXPECT_TRUE(std::filesystem::exists(old));
}

TEST_F(Retention, DeletesAtAStartWhatIsOlderAndKeepsNotes) {
  const auto with_note = record(at(today() - Days(102), note()));  // looked at before the next one is
  const auto old = record(at(today() - Days(101), plain()));
  const auto young = record(at(today() - Days(99), plain()));
  RecorderConfig config = at(today(), test::live_script(root.path()));
  config.retention.older_than = "100d";
  RecorderBackend recorder(config);
  recorder.start_recording();
  EXPECT_TRUE(is_gone(old));
  EXPECT_TRUE(std::filesystem::exists(with_note));
  EXPECT_TRUE(std::filesystem::exists(young));
  EXPECT_TRUE(std::filesystem::exists(recorder.get_session_path()));
}

TEST_F(Retention, DeletesNotesWhereThatIsConfigured) {
  const auto with_note = record(at(today() - Days(101), note()));
  RecorderConfig config = at(today(), test::live_script(root.path()));
  config.retention.older_than = "100d";
  config.retention.keep_notes = false;
  RecorderBackend recorder(config);
  recorder.start_recording();
  EXPECT_TRUE(is_gone(with_note));
}

TEST_F(Retention, DoesNotHoldUpTheEndOfTheRecorder) {
  for (int i = 0; i < 5; ++i) record(at(today() - Days(101), plain()));
  RecorderConfig config = at(today(), test::live_script(root.path()));
  config.retention.older_than = "100d";
  auto recorder = std::make_unique<RecorderBackend>(config);
  recorder->start_recording();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

}  // namespace
}  // namespace dictum
