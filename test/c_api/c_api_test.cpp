#include <dictum/dictum.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int kRate = 16000;
constexpr int kPatienceMs = 20'000;

struct Free {
  void operator()(dictum_config* config) const { dictum_config_free(config); }
  void operator()(dictum_recorder* recorder) const { dictum_recorder_free(recorder); }
  void operator()(dictum_event* event) const { dictum_event_free(event); }
};
using Config = std::unique_ptr<dictum_config, Free>;
using Recorder = std::unique_ptr<dictum_recorder, Free>;
using Event = std::unique_ptr<dictum_event, Free>;

/// Seconds of silence and of a tone in turn, silence first.
std::vector<float> sound(std::initializer_list<double> seconds) {
  std::vector<float> samples;
  bool tone = false;
  for (const double each : seconds) {
    for (int i = 0; i < each * kRate; ++i) {
      samples.push_back(tone ? 0.3F * std::sin(static_cast<float>(i) * 0.1F) : 0.0F);
    }
    tone = !tone;
  }
  return samples;
}

class CAPI : public testing::Test {
 protected:
  Config fed_config() const {
    Config config(dictum_config_new());
    EXPECT_EQ(dictum_config_set(config.get(), "session.root", root.path().c_str()), DICTUM_OK);
    EXPECT_EQ(dictum_config_set(config.get(), "vad.detector", "energy"), DICTUM_OK);
    EXPECT_EQ(dictum_config_set(config.get(), "transcription.transcriber", "simulated"), DICTUM_OK);
    EXPECT_EQ(dictum_config_use_push(config.get(), kRate, 1), DICTUM_OK);
    return config;
  }

  /// Every event up to the one with this name, or all that come in time; `in_json` narrows it down.
  std::vector<std::string> names_until(const std::string& name, const std::string& in_json = "") {
    std::vector<std::string> names;
    for (pollfd waiting{dictum_event_fd(recorder.get()), POLLIN, 0}; ::poll(&waiting, 1, kPatienceMs) > 0;) {
      const Event event(dictum_next_event(recorder.get()));
      if (!event) continue;  // the queue was found empty, which is what makes the descriptor silent
      names.emplace_back(dictum_event_name(event.get()));
      if (names.back() == name && std::string(dictum_event_json(event.get())).find(in_json) != std::string::npos) {
        return names;
      }
    }
    ADD_FAILURE() << "no " << name << ' ' << in_json;
    return names;
  }

  bool is_readable(int for_ms = 0) const {
    pollfd waiting{dictum_event_fd(recorder.get()), POLLIN, 0};
    return ::poll(&waiting, 1, for_ms) > 0;
  }

  std::string last_error() const {
    std::string sentence(dictum_last_error(recorder.get(), nullptr, 0), '\0');
    dictum_last_error(recorder.get(), sentence.data(), sentence.size() + 1);
    return sentence;
  }

  dictum::test::TemporaryDirectory root;
  Recorder recorder{};
};

TEST_F(CAPI, VersionIsReported) {
  EXPECT_THAT(dictum_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

// --- Configuration ---------------------------------------------------------------------------------------------------

TEST_F(CAPI, AWrongSettingIsRefusedWithASentence) {
  const Config config(dictum_config_new());
  EXPECT_NE(dictum_config_set(config.get(), "vad.no_such_thing", "1"), DICTUM_OK);
  EXPECT_THAT(dictum_config_last_error(config.get()), HasSubstr("no_such_thing"));
}

TEST_F(CAPI, AValueOfTheWrongTypeIsRefused) {
  const Config config(dictum_config_new());
  EXPECT_NE(dictum_config_set(config.get(), "vad.min_silence_ms", "soon"), DICTUM_OK);
  EXPECT_THAT(dictum_config_last_error(config.get()), HasSubstr("min_silence_ms"));
}

TEST_F(CAPI, AnErrorIsForgottenAfterSuccess) {
  const Config config(dictum_config_new());
  dictum_config_set(config.get(), "nonsense", "1");
  EXPECT_EQ(dictum_config_set(config.get(), "vad.min_silence_ms", "500"), DICTUM_OK);
  EXPECT_STREQ(dictum_config_last_error(config.get()), "");
}

TEST_F(CAPI, NullPointersAreErrorsNotCrashes) {
  const Config config(dictum_config_new());
  EXPECT_EQ(dictum_config_set(config.get(), nullptr, "1"), DICTUM_E_INVALID_ARGUMENT);
  EXPECT_EQ(dictum_config_set(config.get(), "vad.threshold", nullptr), DICTUM_E_INVALID_ARGUMENT);
  EXPECT_EQ(dictum_config_load(config.get(), nullptr), DICTUM_E_INVALID_ARGUMENT);
  dictum_config_free(nullptr);
  dictum_recorder_free(nullptr);
  dictum_event_free(nullptr);
  recorder.reset(dictum_recorder_new(nullptr));
  EXPECT_EQ(dictum_set_vad_mode(recorder.get(), nullptr), DICTUM_E_INVALID_ARGUMENT);
}

TEST_F(CAPI, CallsWithoutARecorderAreErrorsNotCrashes) {
  for (const int error :
       {dictum_start(nullptr), dictum_stop(nullptr, 1), dictum_pause(nullptr), dictum_resume(nullptr),
        dictum_set_muted(nullptr, 1), dictum_set_device(nullptr, ""), dictum_set_vocabulary(nullptr, nullptr, 0),
        dictum_set_vad_mode(nullptr, "normal"), dictum_complete_note(nullptr), dictum_retry_failed(nullptr),
        dictum_wait_until_idle(nullptr), dictum_config_set(nullptr, "vad.threshold", "0.5"),
        dictum_config_load(nullptr, "x"), dictum_config_use_push(nullptr, kRate, 1)}) {
    EXPECT_EQ(error, DICTUM_E_INVALID_ARGUMENT);
  }
  EXPECT_STREQ(dictum_config_last_error(nullptr), "");
  EXPECT_EQ(dictum_is_recording(nullptr), 0);
  EXPECT_STREQ(dictum_state(nullptr), "idle");
  char buffer[8];
  EXPECT_EQ(dictum_session_path(nullptr, buffer, sizeof(buffer)), 0);
  EXPECT_EQ(dictum_last_error(nullptr, buffer, sizeof(buffer)), 0);
  const float sample = 0;
  const std::int16_t integer = 0;
  EXPECT_EQ(dictum_push(nullptr, &sample, 1), 0);
  EXPECT_EQ(dictum_push_int16(nullptr, &integer, 1), 0);
  dictum_push_finish(nullptr);
  EXPECT_EQ(dictum_event_fd(nullptr), -1);
  EXPECT_EQ(dictum_next_event(nullptr), nullptr);
}

TEST_F(CAPI, QuestionsAboutNoEventHaveEmptyAnswers) {
  EXPECT_STREQ(dictum_event_name(nullptr), "");
  EXPECT_STREQ(dictum_event_json(nullptr), "");
  EXPECT_EQ(dictum_event_sequence(nullptr), -1);
  EXPECT_EQ(dictum_event_frame(nullptr), -1);
  EXPECT_EQ(dictum_event_timestamp(nullptr), -1);
  EXPECT_EQ(dictum_event_segment(nullptr), -1);
}

TEST_F(CAPI, EveryCodeHasAMeaning) {
  std::set<std::string> meanings;
  for (int code = DICTUM_OK; code <= DICTUM_E_INTERNAL; ++code) meanings.insert(dictum_strerror(code));
  EXPECT_EQ(meanings.size(), std::size_t{DICTUM_E_INTERNAL} + 1);
  EXPECT_EQ(meanings.count(""), 0);
  EXPECT_STREQ(dictum_strerror(DICTUM_E_DISK_FULL), "the disk is full");
  for (const int other : {-1, DICTUM_E_INTERNAL + 1, int{DICTUM_E_OTHER}}) {
    EXPECT_STREQ(dictum_strerror(other), "an error of the system");
  }
}

TEST_F(CAPI, AFormatThatIsNoneIsRefused) {
  const Config config(dictum_config_new());
  EXPECT_NE(dictum_config_use_push(config.get(), 0, 1), DICTUM_OK);
  EXPECT_NE(dictum_config_use_push(config.get(), kRate, 0), DICTUM_OK);
  EXPECT_STRNE(dictum_config_last_error(config.get()), "");
}

// --- The life cycle --------------------------------------------------------------------------------------------------

TEST_F(CAPI, WhatIsPushedIsRecordedAndTranscribed) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK) << last_error();
  const auto samples = sound({1, 1, 2});
  EXPECT_EQ(dictum_push(recorder.get(), samples.data(), samples.size()), samples.size());
  dictum_push_finish(recorder.get());
  EXPECT_THAT(names_until("TranscriptionComplete"), testing::Contains("SpeechEnded"));
  EXPECT_EQ(dictum_stop(recorder.get(), 10), DICTUM_OK);
  EXPECT_FALSE(dictum_is_recording(recorder.get()));
}

TEST_F(CAPI, TheSessionsFolderIsReported) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  EXPECT_EQ(dictum_session_path(recorder.get(), nullptr, 0), 0U);
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  std::string path(dictum_session_path(recorder.get(), nullptr, 0), '\0');
  char too_small[4] = "abc";
  EXPECT_EQ(dictum_session_path(recorder.get(), too_small, sizeof too_small), path.size());
  EXPECT_STREQ(too_small, "abc");
  dictum_session_path(recorder.get(), path.data(), path.size() + 1);
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST_F(CAPI, StartingTwiceIsTheSameStartAndStoppingTwiceTheSameStop) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  EXPECT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  EXPECT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_TRUE(dictum_is_recording(recorder.get()));
  EXPECT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  EXPECT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root.path()), {}), 1);
}

TEST_F(CAPI, PauseResumeMuteAndModeAreReportedInOrder) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_pause(recorder.get()), DICTUM_OK);
  names_until("RecordingStateChanged", R"("state":"paused")");
  EXPECT_EQ(dictum_start(recorder.get()), DICTUM_E_INVALID_STATE);
  EXPECT_THAT(last_error(), HasSubstr("paused"));
  EXPECT_EQ(dictum_resume(recorder.get()), DICTUM_OK);
  names_until("RecordingStateChanged", R"("state":"recording")");
  EXPECT_EQ(dictum_set_muted(recorder.get(), 1), DICTUM_OK);
  names_until("RecordingStateChanged", R"("is_muted":true)");
  EXPECT_EQ(dictum_set_vad_mode(recorder.get(), "long_note"), DICTUM_OK);
  names_until("VADModeChanged", R"("mode":"long_note")");
  EXPECT_EQ(dictum_set_vad_mode(recorder.get(), "loud"), DICTUM_E_INVALID_ARGUMENT);
  EXPECT_EQ(dictum_complete_note(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_retry_failed(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_wait_until_idle(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  names_until("RecordingStateChanged", R"("state":"idle")");
}

TEST_F(CAPI, CallsThatNeedARecordingSayWhenThereIsNone) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  EXPECT_EQ(dictum_pause(recorder.get()), DICTUM_E_INVALID_STATE);
  EXPECT_EQ(dictum_resume(recorder.get()), DICTUM_E_INVALID_STATE);
  EXPECT_EQ(dictum_set_muted(recorder.get(), 1), DICTUM_E_INVALID_STATE);
  EXPECT_EQ(dictum_set_vad_mode(recorder.get(), "normal"), DICTUM_E_INVALID_STATE);
  EXPECT_EQ(last_error(), "Nothing is being recorded.");
}

TEST_F(CAPI, AStopDoesNotWaitForEventsThatItsOwnThreadWouldRead) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1)) << "it would wait for two";
  names_until("RecordingStateChanged", R"("state":"idle")");
}

TEST_F(CAPI, ADeviceMayBeChosenAtAnyTime) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  EXPECT_EQ(dictum_set_device(recorder.get(), "a microphone"), DICTUM_OK);
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_set_device(recorder.get(), nullptr), DICTUM_OK);
}

TEST_F(CAPI, AVocabularyMayBeSetAtAnyTime) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  const char* const terms[] = {"Kovacs", "Tallinn"};
  EXPECT_EQ(dictum_set_vocabulary(recorder.get(), terms, 2), DICTUM_OK);
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_EQ(dictum_set_vocabulary(recorder.get(), nullptr, 0), DICTUM_OK);
}

TEST_F(CAPI, WhatCannotBeATermIsRefused) {
  recorder.reset(dictum_recorder_new(nullptr));
  const char* const wrong[] = {"a\nb", nullptr};
  EXPECT_NE(dictum_set_vocabulary(recorder.get(), wrong, 1), DICTUM_OK);
  EXPECT_THAT(last_error(), HasSubstr("control character"));
  EXPECT_EQ(dictum_set_vocabulary(recorder.get(), wrong, 2), DICTUM_E_INVALID_ARGUMENT);
}

TEST_F(CAPI, AStartThatFailsEmitsNothingAndLeavesNothing) {
  const Config config = fed_config();
  dictum_config_set(config.get(), "transcription.transcriber", "no-such-worker");
  recorder.reset(dictum_recorder_new(config.get()));
  EXPECT_NE(dictum_start(recorder.get()), DICTUM_OK);
  EXPECT_THAT(last_error(), HasSubstr("no-such-worker"));
  EXPECT_FALSE(is_readable());
  EXPECT_TRUE(std::filesystem::is_empty(root.path()));
}

TEST_F(CAPI, ADrainThatIsNoNumberHangsNothingThatIsIdle) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  for (const double drain : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max()}) {
    ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
    EXPECT_EQ(dictum_stop(recorder.get(), drain), DICTUM_OK);
  }
}

TEST_F(CAPI, FreeingARecorderThatRecordsEndsItsSession) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

TEST_F(CAPI, PushingToWhoDoesNotRecordKeepsNothing) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  const auto samples = sound({0.1});
  EXPECT_EQ(dictum_push(recorder.get(), samples.data(), samples.size()), 0U);
  EXPECT_EQ(dictum_push(recorder.get(), nullptr, 5), 0U);
}

// --- Events ----------------------------------------------------------------------------------------------------------

TEST_F(CAPI, TheDescriptorIsSilentWhereNothingWaits) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  EXPECT_FALSE(is_readable());
  EXPECT_EQ(dictum_next_event(recorder.get()), nullptr);
  EXPECT_FALSE(is_readable());
}

TEST_F(CAPI, TheDescriptorIsReadableUntilTheLastEventIsTaken) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  ASSERT_EQ(dictum_stop(recorder.get(), 0), DICTUM_OK);
  int events = 0;
  while (is_readable()) {
    if (Event(dictum_next_event(recorder.get()))) ++events;
  }
  EXPECT_GE(events, 4);  // recording, the mode, stopping, idle
  EXPECT_EQ(dictum_next_event(recorder.get()), nullptr);
}

TEST_F(CAPI, OneEventAWakeUpDeliversAllOfThem) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  const auto samples = sound({0.5, 0.3, 1, 0.3, 1, 0.3, 1, 0.3, 1});
  auto feeding = std::async(std::launch::async, [&] {
    dictum_push(recorder.get(), samples.data(), samples.size());
    dictum_push_finish(recorder.get());
  });
  const auto names = names_until("RecordingStateChanged", R"("state":"idle")");
  feeding.wait();
  EXPECT_EQ(std::ranges::count(names, "SpeechDetected"), 4);
  EXPECT_EQ(std::ranges::count(names, "SpeechEnded"), 4);
}

TEST_F(CAPI, AnEventIsDeliveredAsAStructAndAsJSON) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  ASSERT_TRUE(is_readable(kPatienceMs));
  const Event event(dictum_next_event(recorder.get()));
  ASSERT_TRUE(event);
  EXPECT_STREQ(dictum_event_name(event.get()), "RecordingStateChanged");
  EXPECT_THAT(dictum_event_json(event.get()), StartsWith(R"({"event":"RecordingStateChanged","session":")"));
  EXPECT_EQ(dictum_event_sequence(event.get()), 0);
  EXPECT_EQ(dictum_event_frame(event.get()), 0);
  EXPECT_EQ(dictum_event_segment(event.get()), -1);
  EXPECT_GT(dictum_event_timestamp(event.get()), 1.6e9);
}

TEST_F(CAPI, EventsOutliveTheirRecorder) {
  recorder.reset(dictum_recorder_new(fed_config().get()));
  ASSERT_EQ(dictum_start(recorder.get()), DICTUM_OK);
  ASSERT_TRUE(is_readable(kPatienceMs));
  const Event event(dictum_next_event(recorder.get()));
  recorder.reset();
  EXPECT_STREQ(dictum_event_name(event.get()), "RecordingStateChanged");
}

}  // namespace
