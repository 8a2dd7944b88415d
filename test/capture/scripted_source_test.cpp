#include "dictum/scripted_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dictum/error.hpp"

namespace dictum {
namespace {

using std::chrono::milliseconds;

std::vector<float> all_of(AudioSource& source, std::size_t block = 1600) {
  std::vector<float> samples;
  std::vector<float> buffer(block);
  for (;;) {
    const Reading reading = source.read(buffer);
    samples.insert(samples.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(reading.frames));
    if (std::holds_alternative<SourceEnd>(reading.then)) return samples;
  }
}

const std::vector<Script::Line> kLines = {{.text = "start a new note", .speech_sec = 1.5, .pause_sec = 2},
                                          {.text = "shopping list", .speech_sec = 1, .pause_sec = 0.5},
                                          {.text = "", .speech_sec = 0.5, .pause_sec = 1.5}};

TranscriptionJob job(Frame start, Frame end) {
  TranscriptionJob result;
  result.start_frame = start;
  result.end_frame = end;
  result.sample_rate = 16000;
  return result;
}

TEST(Script, LastsAsLongAsItSays) {
  const auto source = Script(kLines).source()();
  EXPECT_EQ(source->open(), (AudioFormat{.sample_rate = 16000, .channels = 1}));
  EXPECT_EQ(source->pace(), milliseconds(0));
  EXPECT_EQ(all_of(*source).size(), 8U * 16000);
}

TEST(Script, SoundsTheSameInAnyBlocks) {
  const Script script(kLines);
  const auto first = script.source()();
  const auto second = script.source()();
  first->open();
  second->open();
  EXPECT_EQ(all_of(*first, 160), all_of(*second, 4801));
}

TEST(Script, TheDetectorFindsSpeechExactlyWhereTheScriptSays) {
  const Script script(kLines);
  const auto source = script.source()();
  const auto detector = script.detector()();
  source->open();
  const auto samples = all_of(*source);
  const auto speaks = [](std::size_t from, std::size_t to, double begin, double end) {
    return static_cast<double>(to) > begin * 16000 && static_cast<double>(from) < end * 16000;
  };
  for (std::size_t at = 0; at + kVADWindow <= samples.size(); at += kVADWindow) {
    const std::size_t end = at + kVADWindow;
    const bool expected = speaks(at, end, 1, 2.5) || speaks(at, end, 4.5, 5.5) || speaks(at, end, 6, 6.5);
    ASSERT_EQ(detector->probability(std::span<const float, kVADWindow>(samples.data() + at, kVADWindow)),
              expected ? 1 : 0)
        << "at " << static_cast<double>(at) / 16000 << " s";
  }
}

TEST(Script, InRealTimeItGoesByTheClock) {
  const auto clock = std::make_shared<ManualClock>(std::chrono::system_clock::time_point());
  const auto source = Script(kLines).source(clock)();
  EXPECT_EQ(source->pace(), milliseconds(20));
  source->open();
  std::vector<float> buffer(16000);
  EXPECT_EQ(source->read(buffer).frames, 0U);
  clock->advance(milliseconds(100));
  EXPECT_EQ(source->read(buffer).frames, 1600U);
}

TEST(Script, ContinuesWhereItWasPaused) {
  const auto source = Script(kLines).source()();
  source->open();
  std::vector<float> buffer(16000);
  source->read(buffer);
  source->close();
  source->open();
  EXPECT_EQ(all_of(*source).size(), 7U * 16000);
}

TEST(Script, TheTranscriberAnswersWithTheLineInTheSegment) {
  const auto transcriber = Script(kLines).transcriber()();
  std::vector<std::string> texts;
  const auto keep = [&](TranscriptionOutcome outcome) { texts.push_back(outcome.text); };
  transcriber->transcribe(job(8000, 48000), keep);
  EXPECT_TRUE(texts.empty()) << "the audio clock is not there yet";
  transcriber->audio_time(48000);
  transcriber->transcribe(job(64000, 112000), keep);
  transcriber->transcribe(job(112000, 120000), keep);
  transcriber->audio_time(kEndOfAudio);
  EXPECT_EQ(texts, (std::vector<std::string>{"start a new note", "shopping list", ""}));
}

TEST(Script, WordsHaveTheirTimes) {
  const auto transcriber = Script(kLines).transcriber()();
  std::vector<Word> words;
  transcriber->audio_time(kEndOfAudio);
  transcriber->transcribe(job(64000, 112000), [&](TranscriptionOutcome outcome) { words = outcome.words; });
  EXPECT_EQ(words, (std::vector<Word>{{.text = "shopping", .start_frame = 72000, .end_frame = 80000, .confidence = 1},
                                      {.text = "list", .start_frame = 80000, .end_frame = 88000, .confidence = 1}}));
}

TEST(Script, ALineThatIsSplitIsSplitBetweenItsWords) {
  const auto transcriber = Script({{.text = "one two three four", .speech_sec = 40}}, 0).transcriber()();
  std::string text;
  const auto add = [&](TranscriptionOutcome outcome) { text += outcome.text + "|"; };
  transcriber->audio_time(kEndOfAudio);
  transcriber->transcribe(job(0, 27 * 16000), add);
  transcriber->transcribe(job(27 * 16000, 41 * 16000), add);
  EXPECT_EQ(text, "one two three|four|");
}

TEST(Script, AnswersComeWithTheirLatencyOnTheAudioClock) {
  const auto transcriber = Script(kLines).transcriber(2.5)();
  int answers = 0;
  transcriber->transcribe(job(8000, 48000), [&](const TranscriptionOutcome&) { ++answers; });
  transcriber->audio_time(48000 + 40000 - 1);
  EXPECT_EQ(answers, 0);
  transcriber->audio_time(48000 + 40000);
  EXPECT_EQ(answers, 1);
  transcriber->audio_time(kEndOfAudio);
  EXPECT_EQ(answers, 1);
}

TEST(Script, AnAbandonedTranscriberAnswersNoMore) {
  const auto transcriber = Script(kLines).transcriber(2.5)();
  transcriber->transcribe(job(0, 48000), [](const TranscriptionOutcome&) { FAIL(); });
  transcriber->abandon();
  transcriber->audio_time(kEndOfAudio);
}

TEST(Script, RefusesTimesThatCannotBe) {
  EXPECT_THROW(Script({{.text = "a", .speech_sec = -1}}), RecorderError);
  EXPECT_THROW(Script({{.text = "a", .speech_sec = std::numeric_limits<double>::quiet_NaN()}}), RecorderError);
  EXPECT_THROW(Script({{.text = "a", .speech_sec = 1e300}}), RecorderError);
  EXPECT_THROW(Script({}, 1, 0), RecorderError);
}

TEST(Script, AnEmptyScriptIsSilence) {
  const auto source = Script({}, 0.5).source()();
  source->open();
  EXPECT_EQ(all_of(*source), std::vector<float>(8000));
}

}  // namespace
}  // namespace dictum
