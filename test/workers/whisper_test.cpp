#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "dictum/error.hpp"
#include "encoder_frames.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"
#include "test_wav.hpp"
#include "worker_process.hpp"

namespace dictum {
namespace {

using std::chrono::steady_clock;
using test::TemporaryDirectory;
using test::WorkerProcess;

// The library's threads spin while they wait for each other, which a busy machine makes long.
constexpr const char* kOneThread = "DICTUM_WHISPER_THREADS=1";

#define WHISPER_OR_SKIP() \
  if (!test::has_worker("whisper")) GTEST_SKIP() << "built without whisper.cpp: run ./setup --retry"

#define WHISPER_AND_MODEL_OR_SKIP(model) \
  WHISPER_OR_SKIP();                     \
  DICTUM_TEST_DATA_OR_SKIP(model, "models/whisper_for_tests_tiny_en.bin")

// Jobs are asked for in a hurry: a model without weights doubts whatever it writes, and would try six times in vain.
class WhisperWorker : public testing::Test {
 protected:
  WhisperWorker() { test::write_wav(wav_, test::tone(440, 2, 16000), 16000); }

  /// What it says in the place of its hello.
  static transcription::Error refusal(const std::filesystem::path& model) {
    WorkerProcess worker("whisper", {kOneThread}, {"--model", model});
    auto message = worker.receive();
    EXPECT_TRUE(std::holds_alternative<transcription::Error>(message)) << "it started";
    return std::get<transcription::Error>(message);
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path wav_ = folder_ / "a.wav";
};

TEST(WhisperEncoder, ComputesTwiceWhatTheSoundNeedsForAnInterimText) {
  constexpr std::size_t kSecond = workers::kEngineRate;
  EXPECT_EQ(workers::interim_frames(0), 512);
  EXPECT_EQ(workers::interim_frames(5 * kSecond), 512);
  EXPECT_EQ(workers::interim_frames(6 * kSecond), 768) << "no padding";
  EXPECT_EQ(workers::interim_frames(12 * kSecond), 1280);
  EXPECT_EQ(workers::interim_frames(13 * kSecond), workers::kEncoderFrames) << "no more than there are";
  EXPECT_EQ(workers::interim_frames(7200 * kSecond), workers::kEncoderFrames);
}

TEST_F(WhisperWorker, LoadsTheTestModelAndRunsManyJobs) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  WorkerProcess worker("whisper", {kOneThread}, {"--model", model});
  const auto hello = worker.expect<transcription::Hello>();
  EXPECT_EQ(hello.model, "whisper_for_tests_tiny_en");
  EXPECT_EQ(hello.languages, std::vector<std::string>{"en"});
  for (int job = 0; job < 2; ++job) {
    const auto result = worker.transcribe({.wav = wav_, .prompt = "what came before", .interim = true});
    EXPECT_EQ(result.text, "") << "the model has no weights";
    EXPECT_FALSE(result.suspect);
  }
}

TEST_F(WhisperWorker, RefusesALanguageThatItsModelDoesNotKnow) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  WorkerProcess worker("whisper", {kOneThread}, {"--model", model});
  worker.expect<transcription::Hello>();
  EXPECT_NE(worker.fail_at({.wav = wav_, .language = "de"}).message.find("English only"), std::string::npos);
  EXPECT_NE(worker.fail_at({.wav = wav_, .language = "xx"}).message.find("does not know"), std::string::npos);
}

TEST_F(WhisperWorker, TakesASegmentShorterThanItsLibraryDoes) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  test::write_wav(wav_, test::tone(440, 0.05, 16000), 16000);
  WorkerProcess worker("whisper", {kOneThread}, {"--model", model});
  worker.expect<transcription::Hello>();
  EXPECT_NO_THROW(worker.transcribe({.wav = wav_, .interim = true}));
}

// Ten minutes are twenty encoder passes: it must end long before them, within about one.
TEST_F(WhisperWorker, EndsACancelledJobWithinOneEncoderPass) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  WorkerProcess worker("whisper", {kOneThread}, {"--model", model});
  worker.expect<transcription::Hello>();
  test::write_wav(wav_, test::tone(440, 29, 16000), 16000);
  const auto begin = steady_clock::now();
  worker.transcribe({.wav = wav_, .interim = true});
  const auto pass = steady_clock::now() - begin;
  RecordProperty("encoder_pass_ms",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(pass).count()));

  test::write_wav(wav_, test::tone(440, 600, 16000), 16000);
  worker.send(transcription::Job{.id = 100, .wav = wav_});
  worker.expect<transcription::Progress>();  // the first pass is done, the others are to come
  const auto cancelled = steady_clock::now();
  worker.send(transcription::Cancel{100});
  std::optional<transcription::Error> error;
  while (!error) {
    const auto message = worker.receive();
    ASSERT_FALSE(std::holds_alternative<transcription::Result>(message)) << "it ran to the end";
    if (const auto* said = std::get_if<transcription::Error>(&message)) error = *said;
  }
  EXPECT_EQ(error->code, to_string(Errc::cancelled));
  const auto took = steady_clock::now() - cancelled;
  RecordProperty("cancel_ms", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, pass + std::chrono::milliseconds(500));
  test::write_wav(wav_, test::tone(440, 1, 16000), 16000);
  EXPECT_NO_THROW(worker.transcribe({.wav = wav_, .interim = true}));
}

TEST_F(WhisperWorker, SaysThatItsModelIsMissing) {
  WHISPER_OR_SKIP();
  const auto error = refusal(folder_ / "none.bin");
  EXPECT_EQ(error.code, to_string(Errc::model_missing));
  EXPECT_NE(error.message.find("there is no model file"), std::string::npos) << error.message;
  EXPECT_TRUE(error.fatal);
}

TEST_F(WhisperWorker, SaysThatItsModelIsCutShort) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  for (const std::uintmax_t size : {10U, 100U, 100'000U, 586'000U}) {
    std::filesystem::copy_file(model, folder_ / "m.bin", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(folder_ / "m.bin", std::filesystem::perms::owner_all);
    std::filesystem::resize_file(folder_ / "m.bin", size);
    const auto error = refusal(folder_ / "m.bin");
    EXPECT_EQ(error.code, to_string(Errc::model_missing)) << size;
    EXPECT_NE(error.message.find("cut short"), std::string::npos) << error.message;
  }
}

TEST_F(WhisperWorker, SaysThatItsModelIsDamaged) {
  WHISPER_AND_MODEL_OR_SKIP(model);
  for (const std::streamoff place : {0, 4, 12, 20, 48}) {
    std::filesystem::copy_file(model, folder_ / "m.bin", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(folder_ / "m.bin", std::filesystem::perms::owner_all);
    std::fstream(folder_ / "m.bin", std::ios::in | std::ios::out | std::ios::binary)
        .seekp(place)
        .write("\xff\xff\xff\x7f", 4);
    EXPECT_EQ(refusal(folder_ / "m.bin").code, to_string(Errc::model_missing)) << place;
  }
}

TEST_F(WhisperWorker, SaysThatNoModelIsInstalled) {
  WHISPER_OR_SKIP();
  WorkerProcess worker("whisper", {"DICTUM_MODELS_DIR=" + folder_.path().string()});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_NE(std::get<transcription::Error>(message).message.find("dictum models pull"), std::string::npos);
}

// Real weights. (A busy machine makes them slow.)
class WhisperWithWeights : public WhisperWorker {
 protected:
  static transcription::Result transcribe(WorkerProcess& worker, const std::filesystem::path& wav) {
    return worker.transcribe({.wav = wav});
  }
};

#define WEIGHTS_OR_SKIP(model) \
  WHISPER_OR_SKIP();           \
  DICTUM_TEST_DATA_OR_SKIP(model, "models/ggml-tiny.en-q8_0.bin")

TEST_F(WhisperWithWeights, SaysWhatWasSaidWhenAndByWhom) {
  WEIGHTS_OR_SKIP(model);
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  WorkerProcess worker("whisper", {}, {"--model", model});
  worker.expect<transcription::Hello>();
  const auto result = transcribe(worker, jfk);
  EXPECT_NE(result.text.find("ask what you can do for your country"), std::string::npos) << result.text;
  EXPECT_FALSE(result.suspect) << result.suspect_reason;
  EXPECT_TRUE(result.annotations.empty());
  EXPECT_TRUE(result.engine.starts_with("whisper.cpp ")) << result.engine;
  EXPECT_EQ(result.model, "tiny.en-q8_0");
  EXPECT_EQ(result.language, "en");
  ASSERT_GE(result.words.size(), 20U);
  Frame before = 0;
  for (const Word& word : result.words) {
    EXPECT_GE(word.start_frame, before) << word.text;
    EXPECT_GE(word.end_frame, word.start_frame) << word.text;
    before = word.end_frame;
  }
  EXPECT_LE(before, 11 * 16000) << "within the recording";
}

TEST_F(WhisperWithWeights, GivesTheSameTextWhateverCameBefore) {
  WEIGHTS_OR_SKIP(model);
  DICTUM_TEST_DATA_OR_SKIP(one, "audio/librivox/0880.wav");
  DICTUM_TEST_DATA_OR_SKIP(other, "audio/librivox/0930.wav");
  WorkerProcess worker("whisper", {}, {"--model", model});
  worker.expect<transcription::Hello>();
  const auto first = transcribe(worker, one);
  transcribe(worker, other);
  worker.transcribe({.wav = other, .interim = true});
  const auto again = transcribe(worker, one);
  EXPECT_EQ(again.text, first.text);
  ASSERT_EQ(again.words.size(), first.words.size());
  for (std::size_t i = 0; i < first.words.size(); ++i) {
    EXPECT_EQ(again.words[i].text, first.words[i].text);
    EXPECT_EQ(again.words[i].start_frame, first.words[i].start_frame);
    EXPECT_EQ(again.words[i].end_frame, first.words[i].end_frame);
    EXPECT_EQ(again.words[i].confidence, first.words[i].confidence);
  }
}

TEST_F(WhisperWithWeights, GivesTheSameWordsWithAnyNumberOfThreads) {
  WEIGHTS_OR_SKIP(model);
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/librivox/0880.wav");
  std::vector<transcription::Result> results;
  for (const char* const threads : {"1", "2"}) {  // more than there are cores wait for each other for seconds
    WorkerProcess worker("whisper", {std::string("DICTUM_WHISPER_THREADS=") + threads}, {"--model", model});
    worker.expect<transcription::Hello>();
    results.push_back(transcribe(worker, wav));
    EXPECT_EQ(results.back().text, results.front().text) << threads;
    EXPECT_EQ(results.back().words, results.front().words) << threads;
  }
}

TEST_F(WhisperWithWeights, WritesNothingOverSilenceAndDoubtsWhatItWritesOverNoise) {
  WEIGHTS_OR_SKIP(model);
  WorkerProcess worker("whisper", {}, {"--model", model});
  worker.expect<transcription::Hello>();
  test::write_wav(wav_, std::vector<float>(3 * 16000), 16000);
  EXPECT_EQ(transcribe(worker, wav_).text, "");

  std::vector<float> noise(4 * 16000);
  std::uint32_t state = 1;
  for (float& sample : noise) {
    state = state * 1664525U + 1013904223U;
    sample = 0.1F * (static_cast<float>(state >> 8) / 8388608.0F - 1.0F);
  }
  test::write_wav(wav_, noise, 16000);
  const auto result = transcribe(worker, wav_);
  EXPECT_TRUE(result.suspect) << result.text;
  EXPECT_NE(result.suspect_reason, "");
}

}  // namespace
}  // namespace dictum
