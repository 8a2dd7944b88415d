#include "worker_audio.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"
#include "test_wav.hpp"

namespace dictum::workers {
namespace {

using test::TemporaryDirectory;
using transcription::FrameRange;

Errc code_of(const std::filesystem::path& wav, std::optional<FrameRange> range = std::nullopt) {
  try {
    read_worker_audio(wav, range);
  } catch (const RecorderError& error) {
    return static_cast<Errc>(error.code().value());
  }
  return Errc{};
}

std::size_t sign_changes(const std::vector<float>& samples) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) changes += (samples[i - 1] < 0) != (samples[i] < 0) ? 1 : 0;
  return changes;
}

class WorkerAudioAtRate : public testing::TestWithParam<int> {};

TEST_P(WorkerAudioAtRate, KeepsTheToneAndItsLength) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", test::tone(440, 1, GetParam()), GetParam());
  const WorkerAudio audio = read_worker_audio(folder / "a.wav");
  EXPECT_EQ(audio.sample_rate, GetParam());
  EXPECT_NEAR(static_cast<double>(audio.samples.size()), kEngineRate, 1);
  EXPECT_NEAR(static_cast<double>(sign_changes(audio.samples)), 880, 2);
}

INSTANTIATE_TEST_SUITE_P(Rates, WorkerAudioAtRate, testing::Values(8000, 16000, 22050, 44100, 48000, 96000, 192000));

TEST(WorkerAudio, ReadsTheFramesOfTheRangeAlone) {
  const TemporaryDirectory folder;
  std::vector<float> ramp(16000);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) / 32768;
  test::write_wav(folder / "a.wav", ramp, 16000);
  const WorkerAudio audio = read_worker_audio(folder / "a.wav", FrameRange{1000, 1500});
  ASSERT_EQ(audio.samples.size(), 500U);
  EXPECT_FLOAT_EQ(audio.samples.front(), 1000.0F / 32768);
  EXPECT_EQ(audio.first_frame, 1000);
}

TEST(WorkerAudio, GivesWhatIsThereWhereARangeReachesBeyondAGrowingFile) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", test::tone(440, 1, 16000), 16000);
  EXPECT_EQ(read_worker_audio(folder / "a.wav", FrameRange{15000, 99000}).samples.size(), 1000U);
  EXPECT_TRUE(read_worker_audio(folder / "a.wav", FrameRange{20000, 99000}).samples.empty());
}

TEST(WorkerAudio, ReadsAFileThatIsStillBeingWritten) {
  const TemporaryDirectory folder;
  SF_INFO info{.frames = 0,
               .samplerate = 48000,
               .channels = 1,
               .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16,
               .sections = 0,
               .seekable = 0};
  SNDFILE* file = sf_open((folder / "a.wav").c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  sf_command(file, SFC_SET_UPDATE_HEADER_AUTO, nullptr, SF_TRUE);
  const auto samples = test::tone(440, 0.5, 48000);
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
  EXPECT_EQ(read_worker_audio(folder / "a.wav").frames, 24000);
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
  EXPECT_EQ(read_worker_audio(folder / "a.wav").frames, 48000);
  sf_close(file);
}

TEST(WorkerAudio, HeedsTheFileWhereItsHeaderPromisesMore) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", test::tone(440, 1, 16000), 16000);
  std::filesystem::resize_file(folder / "a.wav", 44 + 2 * 4000);
  EXPECT_EQ(read_worker_audio(folder / "a.wav").frames, 4000);
}

TEST(WorkerAudio, PlacesAMomentOnTheWAVsOwnFrames) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", test::tone(440, 2, 48000), 48000);
  const WorkerAudio audio = read_worker_audio(folder / "a.wav", FrameRange{24000, 72000});
  EXPECT_EQ(audio.frame_at(0), 24000);
  EXPECT_EQ(audio.frame_at(0.25), 36000);
  EXPECT_EQ(audio.frame_at(99), 72000) << "an engine's rounding does not lead out of the range";
}

TEST(WorkerAudio, AveragesChannels) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", {0.5F, 0.25F, 0.5F, 0.25F}, 16000, 2);
  const WorkerAudio audio = read_worker_audio(folder / "a.wav");
  ASSERT_EQ(audio.samples.size(), 2U);
  EXPECT_NEAR(audio.samples[0], 0.375F, 1e-4);
}

TEST(WorkerAudio, SaysWhatIsWrongWithAFile) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "text.wav") << "this is not audio";
  std::ofstream(folder / "empty.wav");
  test::write_wav(folder / "a.wav", test::tone(440, 0.1, 16000), 16000);
  EXPECT_EQ(code_of(folder / "missing.wav"), Errc::input_not_found);
  EXPECT_EQ(code_of(folder.path()), Errc::input_not_found);
  EXPECT_EQ(code_of(folder / "text.wav"), Errc::input_unreadable);
  EXPECT_EQ(code_of(folder / "empty.wav"), Errc::input_unreadable);
  EXPECT_EQ(code_of(folder / "a.wav", FrameRange{10, 5}), Errc::invalid_argument);
  EXPECT_EQ(code_of(folder / "a.wav", FrameRange{-1, 5}), Errc::invalid_argument);
}

TEST(WorkerAudio, AnEmptyRecordingIsNoError) {
  const TemporaryDirectory folder;
  test::write_wav(folder / "a.wav", {}, 48000);
  EXPECT_TRUE(read_worker_audio(folder / "a.wav").samples.empty());
}

TEST(WorkerAudio, SaturatesWhenItBecomesIntegers) {
  const std::vector<float> samples{2.0F, -2.0F, 0.0F, 0.5F};
  EXPECT_EQ(to_pcm16(samples), (std::vector<std::int16_t>{32767, -32768, 0, 16384}));
}

}  // namespace
}  // namespace dictum::workers
