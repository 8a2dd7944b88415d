#include "vad/segmenter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <variant>

#include "dictum/error.hpp"
#include "dictum/vad.hpp"
#include "support/test_data.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

constexpr float kSpeech = 0.9f;
constexpr float kBetween = 0.4f;  // neither at the threshold nor below it by the hysteresis
constexpr float kSilence = 0.1f;
constexpr Frame kWindow = 512;

/// A segmenter at 16 kHz that is fed by the number of windows.
class Stream {
 public:
  explicit Stream(SegmenterSettings settings = test::default_settings()) : segmenter(settings) {}

  Stream& feed(float probability, std::int64_t windows, float energy = 1) {
    for (std::int64_t i = 0; i < windows; ++i, at += kWindow) {
      segmenter.window(at, at + kWindow, probability, energy, decisions);
    }
    return *this;
  }
  void stop() { segmenter.close(at, CloseReason::stop, decisions); }

  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const Decision& decision : decisions) {
      if (const auto* kind = std::get_if<Kind>(&decision)) found.push_back(*kind);
    }
    return found;
  }
  std::vector<SegmentOpened> opened() const { return all<SegmentOpened>(); }
  std::vector<SegmentClosed> closed() const { return all<SegmentClosed>(); }

  Segmenter segmenter;
  std::vector<Decision> decisions;
  Frame at = 0;
};

SegmenterSettings with(auto change) {
  auto settings = test::default_settings();
  change(settings);
  return settings;
}

std::vector<std::pair<double, double>> seconds(const std::vector<SegmentClosed>& segments) {
  std::vector<std::pair<double, double>> found;
  for (const auto& segment : segments) {
    if (segment.kept) {
      found.emplace_back(static_cast<double>(segment.speech_start) / 16000,
                         static_cast<double>(segment.speech_end) / 16000);
    }
  }
  return found;
}

TEST(WindowStart, IsFlooredOnTheCaptureClock) {
  EXPECT_EQ(window_start(0, 1, 16000), 512);
  EXPECT_EQ(window_start(0, 1, 44100), 1411);
  EXPECT_EQ(window_start(0, 2, 44100), 2822);
  EXPECT_EQ(window_start(0, 5, 44100), 7056);
  EXPECT_EQ(window_start(100, 3, 48000), 100 + 3 * 1536);
}

TEST(WindowStart, DoesNotOverflowInAYearOfAudio) {
  EXPECT_EQ(window_start(0, 31'250LL * 31'536, 768'000), 31'536'000LL * 768'000);
}

TEST(Segmenter, KeepsPreRollBeforeTheFirstSpeechWindow) {
  Stream stream;
  stream.feed(kSilence, 100).feed(kSpeech, 1);
  EXPECT_EQ(stream.opened(), (std::vector{SegmentOpened{0, 100 * kWindow, 100 * kWindow - 8000}}));
}

TEST(Segmenter, PreRollEndsAtTheStartOfTheStream) {
  Stream stream;
  stream.feed(kSilence, 3).feed(kSpeech, 1);
  EXPECT_EQ(stream.opened().front().kept_start, 0);
}

TEST(Segmenter, PreRollEndsWhereTheSegmentBeforeEnded) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 25).feed(kSpeech, 1);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].kept_end, 10 * kWindow + 8000);
  EXPECT_EQ(stream.opened()[1].kept_start, std::max<Frame>(35 * kWindow - 8000, stream.closed()[0].kept_end));
}

TEST(Segmenter, PreRollIsCutShortByASegmentThatWasNotKept) {
  Stream stream;
  stream.feed(kSpeech, 1).feed(kSilence, 25).feed(kSpeech, 1);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_FALSE(stream.closed()[0].kept);
  EXPECT_GE(stream.opened()[1].kept_start, stream.closed()[0].kept_end);
}

TEST(Segmenter, PreRollDoesNotReachOverARestart) {
  Stream stream;
  stream.feed(kSilence, 100);
  stream.segmenter.restart(stream.at - 1000);
  stream.feed(kSpeech, 1);
  EXPECT_EQ(stream.opened().front().kept_start, 100 * kWindow - 1000);
}

TEST(Segmenter, AWindowAtTheThresholdIsSpeech) {
  Stream stream;
  stream.feed(0.5f, 1);
  EXPECT_TRUE(stream.segmenter.in_segment());
}

TEST(Segmenter, AWindowJustBelowTheThresholdIsNot) {
  Stream stream;
  stream.feed(0.499f, 1);
  EXPECT_FALSE(stream.segmenter.in_segment());
}

TEST(Segmenter, EndsAfterSoManyWindowsOfSilenceCountingTheFirst) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 24);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSilence, 1);
  EXPECT_EQ(stream.closed(),
            (std::vector{SegmentClosed{0, 0, 10 * kWindow + 8000, 0, 10 * kWindow, true, CloseReason::silence}}));
}

TEST(Segmenter, ACountdownGoesOnBetweenTheThresholds) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 1).feed(kBetween, 24);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].speech_end, 10 * kWindow);
}

TEST(Segmenter, NoCountdownBeginsBetweenTheThresholds) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kBetween, 100);
  EXPECT_TRUE(stream.closed().empty());
  EXPECT_EQ(stream.segmenter.silence_ms(), 0);
}

TEST(Segmenter, SpeechCancelsACountdown) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 24).feed(kSpeech, 1).feed(kSilence, 24);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSilence, 1);
  EXPECT_EQ(stream.closed()[0].speech_end, 35 * kWindow);
}

TEST(Segmenter, AProbabilityThatIsNotANumberIsSilence) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(std::numeric_limits<float>::quiet_NaN(), 25);
  EXPECT_EQ(stream.closed().size(), 1u);
}

TEST(Segmenter, PostRollIsCutToTheSilenceThatEndsASegment) {
  Stream stream(with([](auto& settings) { settings.min_silence_ms = 300; }));
  stream.feed(kSpeech, 10).feed(kSilence, 10);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].kept_end, 10 * kWindow + 4800);
}

TEST(Segmenter, ReportsHowLongTheCountdownHasRun) {
  Stream stream;
  EXPECT_EQ(stream.segmenter.silence_ms(), 0);
  stream.feed(kSpeech, 10).feed(kSilence, 3);
  EXPECT_EQ(stream.segmenter.silence_ms(), 96);
  stream.feed(kSpeech, 1);
  EXPECT_EQ(stream.segmenter.silence_ms(), 0);
}

TEST(Segmenter, AShorterSilenceTakesEffectAtTheNextWindow) {
  Stream stream(with([](auto& settings) { settings.min_silence_ms = 5000; }));
  stream.feed(kSpeech, 10).feed(kSilence, 50);
  stream.segmenter.set_min_silence_ms(800);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSilence, 1);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].speech_end, 10 * kWindow);
}

TEST(Segmenter, ALongerSilenceKeepsTheCountdownThatRuns) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 20);
  stream.segmenter.set_min_silence_ms(5000);
  stream.feed(kSilence, 136);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSilence, 1);
  EXPECT_EQ(stream.closed().size(), 1u);
}

TEST(Segmenter, TooLittleSpeechIsAnnouncedAndNotKept) {
  Stream stream;
  stream.feed(kSpeech, 2).feed(kBetween, 20).feed(kSilence, 25);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_FALSE(stream.closed()[0].kept);
}

TEST(Segmenter, EnoughSpeechNeedNotBeInOnePiece) {
  Stream stream;
  stream.feed(kSpeech, 2).feed(kBetween, 20).feed(kSpeech, 1).feed(kSilence, 25);
  EXPECT_TRUE(stream.closed()[0].kept);
}

class SegmenterClose : public testing::TestWithParam<CloseReason> {};

TEST_P(SegmenterClose, KeepsHoweverLittleSpeech) {
  Stream stream;
  stream.feed(kSilence, 100).feed(kSpeech, 1);
  stream.segmenter.close(stream.at + 100, GetParam(), stream.decisions);
  EXPECT_EQ(stream.closed(), (std::vector{SegmentClosed{0, 100 * kWindow - 8000, 101 * kWindow + 100, 100 * kWindow,
                                                        101 * kWindow, true, GetParam()}}));
}

TEST_P(SegmenterClose, EndsSpeechWhereACountdownBegan) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 20);
  stream.segmenter.close(stream.at, GetParam(), stream.decisions);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].speech_end, 10 * kWindow);
  EXPECT_EQ(stream.closed()[0].kept_end, 10 * kWindow + 8000);
}

TEST_P(SegmenterClose, DoesNothingOutsideASegment) {
  Stream stream;
  stream.feed(kSilence, 10);
  stream.segmenter.close(stream.at, GetParam(), stream.decisions);
  EXPECT_TRUE(stream.decisions.empty());
}

TEST_P(SegmenterClose, ForgetsTheCountdown) {
  Stream stream;
  stream.feed(kSpeech, 10).feed(kSilence, 20);
  stream.segmenter.close(stream.at, GetParam(), stream.decisions);
  EXPECT_EQ(stream.segmenter.silence_ms(), 0);
  stream.feed(kSpeech, 10).feed(kSilence, 24);
  EXPECT_TRUE(stream.segmenter.in_segment());
}

INSTANTIATE_TEST_SUITE_P(Reasons, SegmenterClose,
                         testing::Values(CloseReason::gap, CloseReason::pause, CloseReason::stop));

TEST(Segmenter, BridgesOnlyGapsThatAreShorterThanTheSilence) {
  Stream stream;
  EXPECT_TRUE(stream.segmenter.bridges(12799));
  EXPECT_FALSE(stream.segmenter.bridges(12800));
}

// Splits: at 16 kHz, with at most 6 s (96,000 frames) kept, the split is looked for from frame 16,000 on.
SegmenterSettings six_seconds() {
  return with([](auto& settings) { settings.max_segment_sec = 6; });
}

TEST(SegmenterSplit, IsWhereTheEnergyIsLeast) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 100, 5).feed(kSpeech, 5, 1).feed(kSpeech, 100, 5);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0], (SegmentClosed{0, 0, 102 * kWindow, 0, 102 * kWindow, true, CloseReason::split}));
}

TEST(SegmenterSplit, PiecesAdjoin) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 1000);
  stream.stop();
  const auto closed = stream.closed();
  const auto opened = stream.opened();
  ASSERT_GT(closed.size(), 5u);
  for (std::size_t i = 1; i < closed.size(); ++i) {
    EXPECT_EQ(closed[i].kept_start, closed[i - 1].kept_end);
    EXPECT_EQ(opened[i], (SegmentOpened{static_cast<std::uint32_t>(i), closed[i].kept_start, closed[i].kept_start}));
  }
}

TEST(SegmenterSplit, IsTheLatestOfEqualPlaces) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 200);
  ASSERT_EQ(stream.closed().size(), 1u);
  // Window 187 reaches beyond 96,000; the last five whole ones are 182 to 186.
  EXPECT_EQ(stream.closed()[0].kept_end, 184 * kWindow);
}

TEST(SegmenterSplit, IgnoresQuietPlacesBeforeTheLastFiveSeconds) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 20, 5).feed(kSpeech, 6, 1).feed(kSpeech, 200, 5);
  EXPECT_EQ(stream.closed()[0].kept_end, 184 * kWindow);
}

TEST(SegmenterSplit, WaitsForACountdownToBeCancelled) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 180, 5).feed(kSilence, 20, 1);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSpeech, 1, 5);
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].kept_end, 184 * kWindow);
}

TEST(SegmenterSplit, DoesNotHappenWhereTheSegmentEndsInstead) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 180, 5).feed(kSilence, 25, 1);
  EXPECT_EQ(stream.closed(), (std::vector{SegmentClosed{0, 0, 96000, 0, 180 * kWindow, true, CloseReason::silence}}));
}

TEST(SegmenterSplit, ThePieceAfterItIsKeptHoweverLittleSpeechItHas) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 150).feed(kBetween, 50).feed(kSilence, 25);
  ASSERT_EQ(stream.closed().size(), 2u);
  EXPECT_TRUE(stream.closed()[1].kept);
}

TEST(SegmenterSplit, ACatchUpSplitsAsOftenAsItTakes) {
  Stream stream(with([](auto& settings) {
    settings.max_segment_sec = 6;
    settings.min_silence_ms = 4900;
  }));
  // The first split is at 1 s; what follows it is longer than 6 s when the silence is cancelled.
  stream.feed(kSpeech, 34, 5).feed(kSpeech, 5, 0).feed(kSpeech, 148, 5).feed(kSilence, 150, 5);
  EXPECT_TRUE(stream.closed().empty());
  stream.feed(kSpeech, 1, 5);
  ASSERT_EQ(stream.closed().size(), 2u);
  EXPECT_EQ(stream.closed()[0].kept_end, 36 * kWindow);
  for (const auto& piece : stream.closed()) EXPECT_LE(piece.kept_end - piece.kept_start, 96000);
}

TEST(SegmenterSplit, StopSplitsWhereThePostRollWouldBeTooLong) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 187);
  stream.segmenter.close(187 * kWindow + 400, CloseReason::stop, stream.decisions);
  ASSERT_EQ(stream.closed().size(), 2u);
  EXPECT_EQ(stream.closed()[1].kept_end, 187 * kWindow + 400);
}

TEST(SegmenterSplit, LeavesSpeechInThePieceBeforeIt) {
  Stream stream(with([](auto& settings) {
    settings.max_segment_sec = 6;
    settings.pre_roll_ms = 10000;
  }));
  stream.feed(kSilence, 500, 0).feed(kSpeech, 200, 5);
  ASSERT_FALSE(stream.closed().empty());
  EXPECT_GT(stream.closed()[0].kept_end, stream.closed()[0].speech_start);
}

TEST(SegmenterSplit, EnergyThatIsNotANumberAttractsNoSplit) {
  Stream stream(six_seconds());
  stream.feed(kSpeech, 150, 5).feed(kSpeech, 60, std::numeric_limits<float>::quiet_NaN());
  ASSERT_EQ(stream.closed().size(), 1u);
  EXPECT_EQ(stream.closed()[0].kept_end, 147 * kWindow);
}

TEST(Segmenter, SettingsThatMakeNoSenseAreRefused) {
  const auto refused = [](auto change) { EXPECT_THROW(Segmenter(with(change)), RecorderError); };
  refused([](auto& settings) { settings.sample_rate = 0; });
  refused([](auto& settings) { settings.threshold = std::numeric_limits<double>::quiet_NaN(); });
  refused([](auto& settings) { settings.min_silence_ms = 0; });
  refused([](auto& settings) { settings.pre_roll_ms = -1; });
  refused([](auto& settings) { settings.max_segment_sec = 5; });
  refused([](auto& settings) { settings.max_segment_sec = std::numeric_limits<double>::infinity(); });
}

// Real recordings, with the probabilities of the official model.

TEST(SegmenterOnRecordings, JFKHasThreePhrases) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/jfk.probs.txt");
  const auto samples = test::read_samples(wav);
  const auto found = test::segments(test::default_settings(), test::read_probabilities(text), test::energies(samples),
                                    static_cast<Frame>(samples.size()));
  const std::vector<std::pair<double, double>> expected = {{0.352, 2.240}, {3.296, 4.416}, {5.408, 10.976}};
  EXPECT_EQ(seconds(found), expected);
}

TEST(SegmenterOnRecordings, TheConversationHasTwoParts) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/conversation.wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/conversation.probs.txt");
  const auto samples = test::read_samples(wav);
  const auto found =
      test::segments(with([](auto& settings) { settings.min_silence_ms = 300; }), test::read_probabilities(text),
                     test::energies(samples), static_cast<Frame>(samples.size()));
  const std::vector<std::pair<double, double>> expected = {{6.784, 7.200}, {7.648, 29.984}};
  EXPECT_EQ(seconds(found), expected);
  EXPECT_EQ(found.back().kept_end, static_cast<Frame>(samples.size()));
}

// What holds for any stream: streams of random stretches of speech and silence, of changes of mode, gaps and pauses,
// under random settings.

struct RandomStream {
  explicit RandomStream(unsigned seed) : random(seed) {}

  int number(int from, int to) { return std::uniform_int_distribution(from, to)(random); }

  SegmenterSettings settings() {
    const int rates[] = {8000, 16000, 22050, 44100, 48000};
    return {.sample_rate = rates[number(0, 4)],
            .threshold = number(20, 95) / 100.0,
            .min_silence_ms = number(0, 3) == 0 ? number(32, 60000) : number(32, 2000),
            .pre_roll_ms = number(0, 3) == 0 ? number(0, 10000) : 500,
            .post_roll_ms = number(0, 3) == 0 ? number(0, 10000) : 500,
            .min_speech_ms = number(0, 300),
            .max_segment_sec = number(600, 1500) / 100.0};
  }

  std::mt19937 random;
};

void expect_invariants(unsigned seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomStream stream(seed);
  const auto settings = stream.settings();
  const auto longest = static_cast<Frame>(settings.max_segment_sec * settings.sample_rate);
  Segmenter segmenter(settings);
  std::vector<Decision> decisions;
  std::vector<Frame> speech;  // where windows at the threshold begin
  std::vector<Frame> not_silent;
  Frame origin = 0;
  std::int64_t window = 0;
  Frame needed = 0;
  std::size_t seen = 0;
  Frame now = 0;

  const auto check_needed = [&] {
    for (; seen < decisions.size(); ++seen) {
      if (const auto* opened = std::get_if<SegmentOpened>(&decisions[seen])) ASSERT_GE(opened->kept_start, needed);
    }
    const Frame next = segmenter.earliest_needed(now);
    ASSERT_LE(next, now);
    ASSERT_GE(next, std::min(needed, now));
    needed = next;
  };

  for (int stretch = 0; stretch < 60; ++stretch) {
    const float level = static_cast<float>(stream.number(0, 100)) / 100;
    const int windows = stream.number(0, 9) == 0 ? stream.number(100, 800) : stream.number(1, 60);
    for (int i = 0; i < windows; ++i, ++window) {
      const float probability = std::clamp(level + static_cast<float>(stream.number(-10, 10)) / 100, 0.0f, 1.0f);
      const Frame start = window_start(origin, window, settings.sample_rate);
      now = window_start(origin, window + 1, settings.sample_rate);
      if (static_cast<double>(probability) >= settings.threshold) speech.push_back(start);
      if (static_cast<double>(probability) >= settings.threshold - 0.15) not_silent.push_back(start);
      segmenter.window(start, now, probability, static_cast<float>(stream.number(0, 3)), decisions);
      check_needed();
    }
    switch (stream.number(0, 12)) {
      case 0:
        segmenter.set_min_silence_ms(stream.number(32, 6000));
        break;
      case 1: {
        now += stream.number(0, 500);
        segmenter.close(now, stream.number(0, 1) == 0 ? CloseReason::gap : CloseReason::pause, decisions);
        check_needed();
        origin = now + stream.number(0, 100000);
        now = origin;
        window = 0;
        segmenter.restart(origin);
        check_needed();
        break;
      }
      default:
        break;
    }
  }
  segmenter.close(now, CloseReason::stop, decisions);
  check_needed();

  std::optional<SegmentOpened> open;
  std::uint32_t next_index = 0;
  Frame end_before = 0;
  bool split_before = false;
  for (const Decision& decision : decisions) {
    if (const auto* opened = std::get_if<SegmentOpened>(&decision)) {
      ASSERT_FALSE(open);
      ASSERT_EQ(opened->index, next_index++);
      ASSERT_GE(opened->kept_start, end_before);
      ASSERT_GE(opened->speech_start, opened->kept_start);
      if (split_before) {
        ASSERT_EQ(opened->kept_start, end_before);
      }
      open = *opened;
      continue;
    }
    const auto& closed = std::get<SegmentClosed>(decision);
    ASSERT_TRUE(open);
    ASSERT_EQ(closed.index, open->index);
    ASSERT_EQ(closed.kept_start, open->kept_start);
    ASSERT_EQ(closed.speech_start, open->speech_start);
    ASSERT_LE(closed.speech_start, closed.speech_end);
    ASSERT_LE(closed.speech_end, closed.kept_end);
    ASSERT_LT(closed.kept_start, closed.kept_end);
    ASSERT_LE(closed.kept_end - closed.kept_start, longest);
    ASSERT_TRUE(closed.kept || closed.reason == CloseReason::silence);
    end_before = closed.kept_end;
    split_before = closed.reason == CloseReason::split;
    open.reset();
  }
  ASSERT_FALSE(open);
  ASSERT_FALSE(split_before);
  ASSERT_EQ(segmenter.next_index(), next_index);

  // Nothing spoken is lost: each window at the threshold lies in a segment.
  std::vector<SegmentClosed> segments;
  for (const Decision& decision : decisions) {
    if (const auto* closed = std::get_if<SegmentClosed>(&decision)) segments.push_back(*closed);
  }
  std::size_t segment = 0;
  for (const Frame start : speech) {
    while (segment < segments.size() && segments[segment].kept_end <= start) ++segment;
    ASSERT_LT(segment, segments.size());
    ASSERT_GE(start, segments[segment].kept_start);
  }
  // Nothing but silence makes no segment, and no piece of one.
  for (const auto& piece : segments) {
    const auto first = std::ranges::lower_bound(not_silent, piece.kept_start);
    ASSERT_TRUE(first != not_silent.end() && *first < piece.kept_end);
  }
}

TEST(SegmenterProperties, HoldForRandomStreams) {
  for (unsigned seed = 0; seed < 500 && !testing::Test::HasFatalFailure(); ++seed) expect_invariants(seed);
}

}  // namespace
}  // namespace dictum::vad
