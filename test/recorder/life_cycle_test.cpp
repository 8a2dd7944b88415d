#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "audio/sound_file_reader.hpp"
#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "recorder/event_log.hpp"
#include "recorder/failures.hpp"
#include "recorder/flavours.hpp"
#include "recorder/recordings.hpp"
#include "recorder/stuck_parts.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<float> samples_of(const std::filesystem::path& file) {
  audio::SoundFileReader reader(file);
  std::vector<float> samples;
  std::vector<float> buffer(4096);
  while (const std::size_t frames = reader.read(buffer))
    samples.insert(samples.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(frames));
  return samples;
}

template <class F>
class LifeCycle : public testing::Test {
 protected:
  auto recorder(RecorderConfig config) {
    return std::make_unique<F>(std::move(config), [this](const Event& event) { log.add(event); });
  }

  std::vector<RecordingState> states() const {
    std::vector<RecordingState> states;
    for (const auto& changed : log.template bodies<RecordingStateChanged>()) states.push_back(changed.state);
    return states;
  }

  std::size_t sessions() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(root.path()), {}));
  }

  test::TemporaryDirectory root;
  test::EventLog log;
};

using Flavours = testing::Types<test::BlockingFlavour, test::AsyncFlavour>;
TYPED_TEST_SUITE(LifeCycle, Flavours, test::FlavourNames);

TYPED_TEST(LifeCycle, ARecordingThatComesToItsEndStopsByItself) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  EXPECT_FALSE(recorder->is_recording());
}

TYPED_TEST(LifeCycle, AStopAfterTheEndSucceedsAndLeavesAWholeSession) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  EXPECT_FALSE(recorder->stop());
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
}

TYPED_TEST(LifeCycle, EverySentenceOfTheScriptIsTranscribed) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder->stop();
  std::vector<std::string> texts;
  for (const auto& complete : this->log.template bodies<TranscriptionComplete>()) texts.push_back(complete.text);
  EXPECT_THAT(texts, ElementsAre("the first sentence", "the second one", "and the third"));
}

TYPED_TEST(LifeCycle, StatesAreReportedInOrder) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder->stop();
  EXPECT_THAT(this->states(), ElementsAre(RecordingState::recording, RecordingState::stopping, RecordingState::idle));
}

TYPED_TEST(LifeCycle, RecordingIsTheFirstEventOfASession) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  ASSERT_FALSE(recorder->start());
  recorder->stop();
  const Event first = this->log.all().front();
  EXPECT_EQ(first.sequence, 0U);
  EXPECT_EQ(std::get<RecordingStateChanged>(first.body).state, RecordingState::recording);
}

TYPED_TEST(LifeCycle, StoppingWhatWasNeverStartedSucceeds) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  EXPECT_FALSE(recorder->stop());
  EXPECT_THAT(this->log.all(), IsEmpty());
}

TYPED_TEST(LifeCycle, AFactoryThatReturnsANullPointerFailsTheStartWithASentence) {
  const auto make_nothing = [](RecorderConfig& config, std::string_view part) {
    if (part == "source") config.source = [] { return nullptr; };
    if (part == "detector") config.detector = [] { return nullptr; };
    if (part == "transcriber") config.custom_transcriber = [] { return nullptr; };
  };
  for (const std::string part : {"source", "detector", "transcriber"}) {
    RecorderConfig config = test::scripted(this->root.path());
    make_nothing(config, part);
    auto recorder = this->recorder(config);
    EXPECT_EQ(recorder->start(), Errc::invalid_argument) << part;
    EXPECT_THAT(recorder->last_error(), testing::HasSubstr(part + " factory returned a null pointer"));
  }
  EXPECT_THAT(this->log.all(), IsEmpty());
  EXPECT_EQ(this->sessions(), 0U);
}

TYPED_TEST(LifeCycle, ASubscriberWithANullCallbackIsRefused) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  try {
    const auto subscription = recorder->subscribe(EventFilter::all(), test::Callback());
    ADD_FAILURE() << "it was taken";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
  }
}

TYPED_TEST(LifeCycle, StartingTwiceIsTheSameStart) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  EXPECT_FALSE(recorder->start());
  recorder->stop();
  EXPECT_EQ(this->sessions(), 1U);
}

TYPED_TEST(LifeCycle, StartsAtTheSameTimeAreTheSameStart) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  auto other = std::async(std::launch::async, [&] { return recorder->start(); });
  EXPECT_FALSE(recorder->start());
  EXPECT_FALSE(other.get());
  recorder->stop();
  EXPECT_EQ(this->sessions(), 1U);
}

TYPED_TEST(LifeCycle, StopsAtTheSameTimeAreTheSameStop) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  auto other = std::async(std::launch::async, [&] { return recorder->stop(); });
  EXPECT_FALSE(recorder->stop());
  EXPECT_FALSE(other.get());
  EXPECT_THAT(this->states(), ElementsAre(RecordingState::recording, RecordingState::stopping, RecordingState::idle));
}

TYPED_TEST(LifeCycle, AStartWhileStoppingBeginsTheNextSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  auto stop = std::async(std::launch::async, [&] { return recorder->stop(); });
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::stopping));
  EXPECT_FALSE(recorder->start());
  EXPECT_FALSE(stop.get());
  EXPECT_TRUE(recorder->is_recording());
  recorder->stop();
  EXPECT_EQ(this->sessions(), 2U);
}

TYPED_TEST(LifeCycle, TwoSessionsInOneSecondHaveFoldersOfTheirOwn) {
  RecorderConfig config = test::scripted(this->root.path());
  config.clock = std::make_shared<ManualClock>(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  recorder->stop();
  const auto first = recorder->session();
  ASSERT_FALSE(recorder->start());
  recorder->stop();
  EXPECT_EQ(first.filename(), "20261122_000000");
  EXPECT_EQ(recorder->session().filename(), "20261122_000000-2");
}

TYPED_TEST(LifeCycle, PauseClosesTheSegmentAndResumeGoesOnInTheSameSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.template wait_for<SpeechDetected>());
  ASSERT_FALSE(recorder->pause());
  EXPECT_TRUE(recorder->is_recording());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::paused));
  EXPECT_EQ(this->log.template bodies<SpeechDetected>().size(), this->log.template bodies<SpeechEnded>().size());
  ASSERT_FALSE(recorder->resume());
  ASSERT_TRUE(this->log.template wait_for<AudioGap>());
  EXPECT_EQ(this->log.template bodies<AudioGap>().front().reason, GapReason::paused);
  recorder->stop();
  EXPECT_THAT(this->states(), ElementsAre(RecordingState::recording, RecordingState::paused, RecordingState::recording,
                                          RecordingState::stopping, RecordingState::idle));
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
}

TYPED_TEST(LifeCycle, StartingWhilePausedIsAnError) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_FALSE(recorder->pause());
  EXPECT_EQ(recorder->start(), Errc::invalid_state);
}

TYPED_TEST(LifeCycle, TheStateHasChangedWhenAPauseOrAResumeReturns) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  for (int i = 0; i < 50; ++i) {
    ASSERT_FALSE(recorder->pause());
    ASSERT_EQ(recorder->state(), RecordingState::paused);
    ASSERT_FALSE(recorder->resume());
    ASSERT_EQ(recorder->state(), RecordingState::recording);
  }
}

TYPED_TEST(LifeCycle, StoppingWhilePausedLeavesAWholeSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_FALSE(recorder->pause());
  EXPECT_FALSE(recorder->stop());
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
}

TYPED_TEST(LifeCycle, CallsThatNeedARecordingSayWhenThereIsNone) {
  auto recorder = this->recorder(test::scripted(this->root.path()));
  EXPECT_EQ(recorder->pause(), Errc::invalid_state);
  EXPECT_EQ(recorder->resume(), Errc::invalid_state);
  EXPECT_EQ(recorder->set_vad_mode(VADMode::long_note), Errc::invalid_state);
  EXPECT_EQ(recorder->set_muted(true), Errc::invalid_state);
  EXPECT_EQ(recorder->complete_note(), Errc::invalid_state);
  EXPECT_EQ(recorder->last_error(), "Nothing is being recorded.");
}

TYPED_TEST(LifeCycle, AModeThatWasSetDoesNotLeakIntoTheNextSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_FALSE(recorder->set_vad_mode(VADMode::long_note));
  recorder->stop();
  ASSERT_FALSE(recorder->start());
  recorder->stop();
  std::vector<VADMode> modes;
  for (const auto& changed : this->log.template bodies<VADModeChanged>()) modes.push_back(changed.mode);
  EXPECT_THAT(modes, ElementsAre(VADMode::normal, VADMode::long_note, VADMode::normal));
}

TYPED_TEST(LifeCycle, MutingSilencesTheAudioOnTheDisk) {
  RecorderConfig config = test::live_script(this->root.path());
  config.session.keep_all = true;
  config.events.level_hz = 20;
  auto recorder = this->recorder(std::move(config));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.template wait_for<SpeechDetected>());
  ASSERT_FALSE(recorder->set_muted(true));
  Frame silent_since = 0;
  ASSERT_TRUE(this->log.wait([&silent_since](const std::vector<Event>& events) {
    int silent = 0;  // levels in a row, 50 ms each: more than the script has by itself
    for (const Event& event : events) {
      const auto* level = std::get_if<AudioLevel>(&event.body);
      if (level == nullptr) continue;
      silent = level->peak_dbfs <= -100 ? silent + 1 : 0;
      if (silent == 1) silent_since = event.frame;
      if (silent == 20) return true;
    }
    return false;
  }));
  recorder->stop();
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
  const std::vector<float> audio = samples_of(recorder->session() / journal::kTimelineFile);
  ASSERT_LT(static_cast<std::size_t>(silent_since), audio.size());
  const auto is_silent = [](float sample) { return sample == 0; };
  EXPECT_FALSE(std::all_of(audio.begin(), audio.begin() + silent_since, is_silent));
  EXPECT_TRUE(std::all_of(audio.begin() + silent_since, audio.end(), is_silent));
}

TYPED_TEST(LifeCycle, DestroyingARecorderEndsItsSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.template wait_for<SpeechDetected>());
  const auto session = recorder->session();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_THAT(test::grammar_violations(session, {.transcription_may_be_pending = true}), IsEmpty());
}

TYPED_TEST(LifeCycle, AnInvalidConfigurationIsReportedAtTheStart) {
  RecorderConfig config = test::scripted(this->root.path());
  config.vad.threshold = 7;
  auto recorder = this->recorder(config);
  EXPECT_EQ(recorder->start(), Errc::config_invalid);
  EXPECT_THAT(recorder->last_error(), testing::HasSubstr("vad.threshold is 7"));
}

// --- Starts that fail ------------------------------------------------------------------------------------------------

TYPED_TEST(LifeCycle, AStartThatFailsAtAnyStepSaysWhyEmitsNothingAndLeavesNothing) {
  for (const test::Failure& failure : test::failures_of_a_start()) {
    SCOPED_TRACE(failure.name);
    const test::TemporaryDirectory around;
    RecorderConfig config = test::scripted(around / "sessions");
    failure.arrange(config, around);
    auto recorder = this->recorder(config);
    EXPECT_EQ(recorder->start(), failure.code);
    EXPECT_FALSE(recorder->is_recording());
    EXPECT_THAT(this->log.all(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(around / "sessions"));
  }
}

TYPED_TEST(LifeCycle, AStartMaySucceedAfterOneThatFailed) {
  RecorderConfig config = test::scripted(this->root.path());
  auto source = config.source;
  config.source = [source, tries = std::make_shared<int>(0)]() -> std::unique_ptr<AudioSource> {
    if ((*tries)++ == 0) return std::make_unique<test::FailingSource>();
    return source();
  };
  auto recorder = this->recorder(config);
  ASSERT_EQ(recorder->start(), Errc::device_busy);
  EXPECT_FALSE(recorder->start());
  recorder->stop();
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
}

// --- Parts that do not answer ----------------------------------------------------------------------------------------

TYPED_TEST(LifeCycle, AStopIsBoundedThoughTheDeviceHangs) {
  auto control = std::make_shared<test::StuckSource::Control>();
  RecorderConfig config = test::scripted(this->root.path());
  config.source = [control] { return std::make_unique<test::StuckSource>(control); };
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  control->stuck.get_future().wait();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(recorder->stop());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(this->states().back(), RecordingState::failed);
  control->release.set_value();
}

TYPED_TEST(LifeCycle, AfterADeviceThatHungTheNextSessionRecords) {
  auto control = std::make_shared<test::StuckSource::Control>();
  RecorderConfig config = test::scripted(this->root.path());
  config.source = [control, good = config.source, tries = std::make_shared<int>(0)]() -> std::unique_ptr<AudioSource> {
    if ((*tries)++ == 0) return std::make_unique<test::StuckSource>(control);
    return good();
  };
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  control->stuck.get_future().wait();
  ASSERT_FALSE(recorder->stop());
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  EXPECT_FALSE(recorder->stop());
  EXPECT_THAT(test::grammar_violations(recorder->session()), IsEmpty());
  control->release.set_value();
}

TYPED_TEST(LifeCycle, AStopWaitsForTextsNoLongerThanAskedAndReportsThoseThatArePending) {
  RecorderConfig config = test::scripted(this->root.path());
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(recorder->stop(100ms));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 600ms);
  const auto faults = this->log.template bodies<RecorderFault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults.front().message, testing::HasSubstr("3 segments are still to be transcribed (0-2)"));
}

TYPED_TEST(LifeCycle, ALaterStopThatDoesNotWaitEndsTheWaitOfAnEarlierOne) {
  RecorderConfig config = test::scripted(this->root.path());
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  auto patient = std::async(std::launch::async, [&] { return recorder->stop(-1s); });
  EXPECT_FALSE(recorder->stop(0s));
  EXPECT_EQ(patient.wait_for(5s), std::future_status::ready);
}

// --- The bound of destruction ----------------------------------------------------------------------------------------

constexpr auto kDestructionBound = 2200ms;  // the promised two seconds, on a machine that does other things too

TYPED_TEST(LifeCycle, ADestructionIsBoundedThoughTheDeviceHangs) {
  auto control = std::make_shared<test::StuckSource::Control>();
  RecorderConfig config = test::scripted(this->root.path());
  config.source = [control] { return std::make_unique<test::StuckSource>(control); };
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  control->stuck.get_future().wait();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kDestructionBound);
  control->release.set_value();
}

TYPED_TEST(LifeCycle, ADestructionWaitsForNoText) {
  RecorderConfig config = test::scripted(this->root.path());
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  config.transcription.drain_sec = -1;
  auto recorder = this->recorder(config);
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  const auto session = recorder->session();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kDestructionBound);
  EXPECT_THAT(test::grammar_violations(session, {.transcription_may_be_pending = true}), IsEmpty());
}

TYPED_TEST(LifeCycle, ADestructionWhilePausedLeavesAWholeSession) {
  auto recorder = this->recorder(test::live_script(this->root.path()));
  ASSERT_FALSE(recorder->start());
  ASSERT_TRUE(this->log.template wait_for<SpeechDetected>());
  ASSERT_FALSE(recorder->pause());
  const auto session = recorder->session();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kDestructionBound);
  EXPECT_THAT(test::grammar_violations(session, {.transcription_may_be_pending = true}), IsEmpty());
}

}  // namespace
}  // namespace dictum
