#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <sstream>
#include <utility>

#include "dictum/error.hpp"
#include "pocketsphinx_decoder.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"
#include "test_wav.hpp"
#include "worker_audio.hpp"
#include "worker_process.hpp"

namespace dictum::workers {
namespace {

using test::TemporaryDirectory;
using test::WorkerProcess;
using transcription::FrameRange;

constexpr const char* kModel = "/usr/share/pocketsphinx/model/en-us";
const std::vector<std::string> kCommands{"start a new note", "end note", "cancel note", "scratch that",
                                         "stop recording"};

// One decoder for the tests of this program: that jobs do not disturb each other is what they also show.
PocketSphinxDecoder& decoder() {
  static PocketSphinxDecoder one(kModel);
  return one;
}

PocketSphinxDecoder::Utterance decode(const std::filesystem::path& wav, double from = 0, double to = 3600,
                                      const std::vector<std::string>& phrases = {}) {
  const int rate = read_worker_audio(wav, FrameRange{0, 0}).sample_rate;
  const FrameRange range{static_cast<Frame>(from * rate), static_cast<Frame>(to * rate)};
  return decoder().decode(to_pcm16(read_worker_audio(wav, range).samples), phrases);
}

#define MODEL_OR_SKIP() \
  if (!std::filesystem::exists(kModel)) GTEST_SKIP() << "the package pocketsphinx-en-us is not installed"

// Levenshtein's distance in words.
std::size_t wrong_words(const std::string& said, const std::string& recognised) {
  const auto split = [](const std::string& text) {
    std::istringstream stream(text);
    return std::vector<std::string>{std::istream_iterator<std::string>(stream), {}};
  };
  const auto a = split(said);
  const auto b = split(recognised);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1 : 0)});
      diagonal = above;
    }
  }
  return row.back();
}

TEST(PocketSphinx, GetsAtMostFourOfTwentyTwoWordsWrongInThreeSegments) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  const std::string recognised =
      decode(wav, 0, 2.740).text + ' ' + decode(wav, 2.796, 4.916).text + ' ' + decode(wav, 4.916, 11).text;
  const std::string said =
      "and so my fellow americans ask not what your country can do for you ask what you can do for your country";
  EXPECT_LE(wrong_words(said, recognised), 4U) << recognised;
}

TEST(PocketSphinx, AJobDoesNotDependOnTheOnesBefore) {
  DICTUM_LONG_TEST_OR_SKIP();
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(first, "audio/librivox/0880.wav");
  DICTUM_TEST_DATA_OR_SKIP(second, "audio/librivox/0930.wav");
  PocketSphinxDecoder fresh(kModel);
  const auto alone = fresh.decode(to_pcm16(read_worker_audio(second).samples), kCommands);
  const auto before = decode(second, 0, 3600, kCommands);
  decode(first, 0, 3600, kCommands);
  const auto after = decode(second, 0, 3600, kCommands);
  EXPECT_EQ(before.text, alone.text);
  EXPECT_EQ(before.words, alone.words);
  EXPECT_EQ(after.words, alone.words);
}

TEST(PocketSphinx, PlacesWordsInOrderInsideTheAudio) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/librivox/0930.wav");
  const auto words = decode(wav).words;
  ASSERT_GE(words.size(), 6U);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_LT(words[i].start, words[i].end);
    EXPECT_GE(words[i].start, i == 0 ? 0 : words[i - 1].end - 0.011);
    EXPECT_LE(words[i].end, 3.30);
    EXPECT_GE(words[i].confidence, 0);
    EXPECT_LE(words[i].confidence, 1);
  }
}

TEST(PocketSphinx, NeitherFillersNorPronunciationMarksReachTheText) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/librivox/0920.wav");
  EXPECT_EQ(decode(wav).text.find_first_of("<>[]()+"), std::string::npos);
}

TEST(PocketSphinx, SpotsThePhraseThatWasSaidAndNotTheOneInsideIt) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/voice_note.wav");
  const auto phrases = decode(wav, 0, 2.0, kCommands).phrases;
  ASSERT_EQ(phrases.size(), 1U);
  EXPECT_EQ(phrases[0].text, "start a new note");
  EXPECT_GT(phrases[0].confidence, 0.5);
  EXPECT_NEAR(phrases[0].start, 0.51, 0.1);
  EXPECT_NEAR(phrases[0].end, 1.48, 0.1);
}

// Already the spotting gives none, before the doubts about short phrases, which could only take some away.
TEST(PocketSphinx, SpotsNoCommandInOtherPeoplesSpeech) {
  DICTUM_LONG_TEST_OR_SKIP();
  MODEL_OR_SKIP();
  for (const char* name : {"jfk", "radio", "conversation", "librivox/0870", "librivox/0880", "librivox/0890",
                           "librivox/0920", "librivox/0930"}) {
    DICTUM_TEST_DATA_OR_SKIP(wav, std::string("audio/") + name + ".wav");
    for (const Recognition& phrase : decoder().spot(to_pcm16(read_worker_audio(wav).samples), kCommands)) {
      ADD_FAILURE() << name << ": \"" << phrase.text << "\" at " << phrase.start;
    }
  }
}

TEST(PocketSphinx, SpotsOneCommandInTheWholeVoiceNote) {
  DICTUM_LONG_TEST_OR_SKIP();
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/voice_note.wav");
  const auto phrases = decode(wav, 0, 3600, kCommands).phrases;
  ASSERT_EQ(phrases.size(), 1U);
  EXPECT_EQ(phrases[0].text, "start a new note");
}

TEST(PocketSphinx, PassesOverPhrasesThatItCannotListenFor) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/voice_note.wav");
  const auto phrases =
      decode(wav, 0, 2.0, {"", "/1e-50/\n", "xyzzyplugh qwrtz", "Start a NEW note!", "start a new note"}).phrases;
  ASSERT_EQ(phrases.size(), 1U);
  EXPECT_EQ(phrases[0].text, "Start a NEW note!") << "returned in the job's own spelling";
}

TEST(PocketSphinx, RecognisesNothingInNothing) {
  MODEL_OR_SKIP();
  EXPECT_EQ(decoder().decode({}, kCommands).text, "");
  EXPECT_EQ(decoder().decode(std::vector<std::int16_t>(1), kCommands).text, "");
  EXPECT_EQ(decoder().decode(std::vector<std::int16_t>(801), kCommands).text, "");
  EXPECT_EQ(decoder().decode(std::vector<std::int16_t>(32000), kCommands).text, "");
}

TEST(PocketSphinx, SaysThatTheModelIsMissing) {
  const TemporaryDirectory folder;
  try {
    PocketSphinxDecoder none(folder.path());
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::model_missing));
    EXPECT_NE(std::string(error.what()).find("pocketsphinx-en-us"), std::string::npos) << error.what();
  }
}

TEST(OverlappingPhrases, TheLongestWins) {
  const Recognition start{"start a new note", 1.0, 2.0, 0.2};
  const Recognition inside{"end note", 1.5, 2.0, 0.9};
  const Recognition later{"end note", 3.0, 3.4, 0.9};
  EXPECT_EQ(longest_of_overlapping({later, inside, start}), (std::vector<Recognition>{start, later}));
}

TEST(ShortPhrases, CountWhereTheirWordsAreInTheText) {
  const std::vector<Recognition> words{{"please", 0, 0.5, 1}, {"end", 0.5, 0.8, 1}, {"note", 0.8, 1.2, 1}};
  EXPECT_TRUE(is_borne_out({"end note", 0.5, 1.2, 1}, words));
}

TEST(ShortPhrases, CountWhereTheyHaveTheSegmentToThemselves) {
  const std::vector<Recognition> words{{"and", 0.5, 0.8, 1}, {"note", 0.8, 1.2, 1}};
  EXPECT_TRUE(is_borne_out({"end note", 0.4, 1.2, 1}, words));
}

TEST(ShortPhrases, DoNotCountInTheMidstOfOtherWords) {
  const std::vector<Recognition> words{{"on", 0.0, 0.3, 1}, {"and", 0.5, 0.8, 1}, {"known", 0.8, 1.2, 1}};
  EXPECT_FALSE(is_borne_out({"end note", 0.4, 1.2, 1}, words));
}

TEST(PocketSphinxWorker, AnswersWithFramesOfTheWAV) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/voice_note.wav");
  WorkerProcess worker("pocketsphinx");
  const auto hello = worker.expect<transcription::Hello>();
  EXPECT_EQ(hello.engine, "pocketsphinx");
  EXPECT_EQ(hello.abilities, (std::vector<std::string>{"words", "phrases"}));
  const auto result = worker.transcribe({.wav = wav, .range = FrameRange{0, 44100}, .phrases = kCommands});
  ASSERT_EQ(result.phrases.size(), 1U);
  EXPECT_NEAR(static_cast<double>(result.phrases[0].start_frame), 0.51 * 22050, 2205);
  ASSERT_FALSE(result.words.empty());
  EXPECT_LE(result.words.back().end_frame, 44100);
  EXPECT_GT(result.timings.at("decode"), 0);
}

TEST(PocketSphinxWorker, GoesOnAfterAJobThatFailed) {
  MODEL_OR_SKIP();
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/librivox/0930.wav");
  WorkerProcess worker("pocketsphinx");
  worker.expect<transcription::Hello>();
  EXPECT_EQ(worker.fail_at({.wav = "/nowhere.wav"}).code, to_string(Errc::input_not_found));
  EXPECT_NE(worker.fail_at({.wav = wav, .language = "de"}).message.find("English only"), std::string::npos);
  EXPECT_FALSE(worker.transcribe({.wav = wav, .language = "en-GB"}).text.empty());
}

// In a process of its own: the library does not free what it had read of a model that it then refuses.
TEST(PocketSphinxWorker, SaysThatTheModelIsDamaged) {
  MODEL_OR_SKIP();
  const TemporaryDirectory folder;
  std::filesystem::copy(kModel, folder / "en-us", std::filesystem::copy_options::recursive);
  std::filesystem::resize_file(folder / "en-us/en-us/means", 100);
  WorkerProcess worker("pocketsphinx", {}, {"--model", folder / "en-us"});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::model_missing));
  EXPECT_NE(std::get<transcription::Error>(message).message.find("does not load"), std::string::npos);
}

TEST(PocketSphinxWorker, SaysWhyItCannotStart) {
  WorkerProcess worker("pocketsphinx", {"DICTUM_POCKETSPHINX_MODEL=/nowhere"});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::model_missing));
  EXPECT_TRUE(std::get<transcription::Error>(message).fatal);
}

}  // namespace
}  // namespace dictum::workers
