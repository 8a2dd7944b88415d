#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>

#include "audio/sound_file_reader.hpp"
#include "dictum/analysis.hpp"
#include "dictum/error.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "journal/layout.hpp"
#include "recorder/event_log.hpp"
#include "recorder/recordings.hpp"
#include "session/manifest.hpp"
#include "session/probabilities.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"

namespace dictum::offline {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A sound file in which the device was away at some places.
class HolesSource final : public AudioSource {
 public:
  using Holes = std::map<Frame, SourceGap>;  // by the frames before

  HolesSource(const std::filesystem::path& file, Holes holes) : file_(file), holes_(std::move(holes)) {}
  AudioFormat open() override { return file_.format(); }
  Reading read(std::span<float> samples) override {
    const auto hole = holes_.lower_bound(read_);
    const Frame left = hole == holes_.end() ? static_cast<Frame>(samples.size()) : hole->first - read_;
    if (left == 0) {
      const SourceGap gap = hole->second;
      holes_.erase(hole);
      return {.frames = 0, .then = gap};
    }
    const auto got = file_.read(samples.first(std::min(samples.size(), static_cast<std::size_t>(left))));
    read_ += static_cast<Frame>(got);
    if (got == 0) return {.frames = 0, .then = SourceEnd{}};
    return {.frames = got};
  }
  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return std::chrono::milliseconds(0); }
  std::string description() const override { return "holes"; }

 private:
  audio::SoundFileReader file_;
  Holes holes_;
  Frame read_ = 0;
};

class Resegment : public testing::Test {
 protected:
  void SetUp() override {
    if (!vad::embedded_weights()) GTEST_SKIP() << "this build has no Silero model";
  }

  /// Of the speech, with four holes of different lengths.
  RecorderConfig config(const std::filesystem::path& speech) const {
    RecorderConfig config;
    config.source = [speech] {
      return std::make_unique<HolesSource>(speech, HolesSource::Holes{{20'000, {1'600, GapReason::overflow}},
                                                                      {50'000, {8'000, GapReason::overflow}},
                                                                      {90'000, {32'000, GapReason::device_lost}},
                                                                      {130'000, {100'000, GapReason::suspended}}});
    };
    config.transcription.transcriber = "none";
    config.session.root = root.path();
    return config;
  }

  static std::filesystem::path record(const RecorderConfig& config) {
    test::EventLog log;
    RecorderBackend recorder(config, [&](const Event& event) { log.add(event); });
    recorder.start_recording();
    EXPECT_TRUE(log.wait_for_state(RecordingState::idle));
    recorder.stop_recording();
    return recorder.get_session_path();
  }

  static std::filesystem::path resegment(RecorderConfig config, const std::filesystem::path& session) {
    config.source = nullptr;
    return resegment_session(config, session, [](const Event&) {});
  }

  static std::deque<session::Segment> segments_of(const std::filesystem::path& session) {
    return session::read_manifest(session).segments;
  }

  static void rewrite(const std::filesystem::path& session, const std::string& bytes) {
    std::ofstream(session / journal::kProbabilitiesFile, std::ios::binary) << bytes;
  }

  test::TemporaryDirectory root;
};

TEST_F(Resegment, OnlyASessionThatKeepsAllStoresItsProbabilities) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig config = this->config(jfk);
  EXPECT_THAT(session::read_probabilities(record(config)), IsEmpty());
  config.session.keep_all = true;
  const auto stored = session::read_probabilities(record(config));
  ASSERT_THAT(stored, SizeIs(3)) << "two gaps end a segment, at 800 ms of silence";
  EXPECT_EQ(stored[0].start_frame, 0);
  EXPECT_EQ(stored[1].start_frame, 90'000 + 1'600 + 8'000 + 32'000);
  EXPECT_EQ(stored[0].values.size(), (90'000U + 1'600 + 8'000) / 512);
}

TEST_F(Resegment, GivesWhatAFreshRecordingWithTheSameSettingsGives) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig kept = config(jfk);
  kept.session.keep_all = true;
  const auto session = record(kept);
  struct Settings {
    double threshold;
    int min_silence_ms;
    int min_speech_ms;
    double max_segment_sec;
  };
  for (const Settings& settings : {Settings{0.5, 800, 96, 30},    // as it was recorded
                                   Settings{0.5, 64, 96, 30},     // every gap ends a segment
                                   Settings{0.5, 600, 96, 30},    // those that did
                                   Settings{0.5, 3'000, 96, 30},  // one of them does no longer
                                   Settings{0.5, 10'000, 96, 6},  // none does, and segments are split
                                   Settings{0.9, 200, 96, 30}, Settings{0.25, 200, 500, 30}}) {
    SCOPED_TRACE(testing::Message() << settings.threshold << " " << settings.min_silence_ms);
    RecorderConfig other = config(jfk);
    other.vad.threshold = settings.threshold;
    other.vad.min_silence_ms = settings.min_silence_ms;
    other.vad.min_speech_ms = settings.min_speech_ms;
    other.vad.max_segment_sec = settings.max_segment_sec;
    const auto fresh = record(other);
    const auto again = resegment(other, session);
    EXPECT_EQ(segments_of(again), segments_of(fresh));
    EXPECT_EQ(session::read_manifest(again).end_frame, session::read_manifest(fresh).end_frame);
    for (const auto& segment : segments_of(fresh)) {
      const auto file = journal::segment_file(segment.index);
      EXPECT_EQ(test::contents(again / file), test::contents(fresh / file)) << file;
    }
  }
}

TEST_F(Resegment, GoesByTheStoredProbabilitiesAndNotByTheSound) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig kept = config(jfk);
  kept.session.keep_all = true;
  const auto session = record(kept);
  std::string bytes = test::contents(session / journal::kProbabilitiesFile);
  std::fill(bytes.begin() + 12, bytes.begin() + 12 + 4 * ((90'000 + 1'600 + 8'000) / 512), '\0');  // the first stretch
  rewrite(session, bytes);
  const auto segments = segments_of(resegment(config(jfk), session));
  ASSERT_THAT(segments, Not(IsEmpty()));
  for (const auto& segment : segments) EXPECT_GE(segment.speech_start_frame, 90'000 + 1'600 + 8'000 + 32'000);
}

TEST_F(Resegment, WithAnotherDetectorGoesByTheSound) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig kept = config(jfk);
  kept.session.keep_all = true;
  const auto session = record(kept);
  RecorderConfig other = config(jfk);
  other.vad.detector = "energy";
  EXPECT_EQ(segments_of(resegment(other, session)), segments_of(record(other)));
}

TEST_F(Resegment, WithoutTheStoredProbabilitiesGoesByTheSound) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig kept = config(jfk);
  kept.session.keep_all = true;
  const auto session = record(kept);
  std::filesystem::remove(session / journal::kProbabilitiesFile);
  EXPECT_EQ(segments_of(resegment(config(jfk), session)), segments_of(session));
}

TEST_F(Resegment, OfDamagedProbabilitiesIsAnErrorThatNamesTheFile) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig kept = config(jfk);
  kept.session.keep_all = true;
  const auto session = record(kept);
  rewrite(session, "This is no list of numbers.");
  try {
    resegment(config(jfk), session);
    ADD_FAILURE() << "it was taken";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_unreadable);
    EXPECT_THAT(error.what(), testing::HasSubstr("probabilities.f32"));
  }
}

}  // namespace
}  // namespace dictum::offline
