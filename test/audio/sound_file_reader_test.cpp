#include "audio/sound_file_reader.hpp"

#include <gtest/gtest.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "audio/format.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::audio {
namespace {

void write_sound(const std::filesystem::path& path, int rate, int channels, int format,
                 const std::vector<float>& interleaved) {
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  const auto frames = static_cast<sf_count_t>(interleaved.size()) / channels;
  ASSERT_EQ(sf_writef_float(file, interleaved.data(), frames), frames);
  sf_close(file);
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Why `path` cannot be read. One line that names the file and says what to do.
std::string refusal(const std::filesystem::path& path, Errc code = Errc::input_unreadable) {
  try {
    SoundFileReader reader(path);
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    const std::string sentence = error.what();
    EXPECT_NE(sentence.find(path.string()), std::string::npos) << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    EXPECT_TRUE(sentence.ends_with('.')) << sentence;
    return sentence;
  }
  ADD_FAILURE() << path << " was read";
  return {};
}

bool holds(const std::string& sentence, std::string_view word) {
  return sentence.find(word) != std::string::npos;
}

class SoundFileReaderTest : public testing::Test {
 protected:
  std::filesystem::path file(const char* name) const { return folder_ / name; }

  const test::TemporaryDirectory folder_;
};

TEST_F(SoundFileReaderTest, AMissingFileIsNotFound) {
  EXPECT_TRUE(holds(refusal(file("none.wav"), Errc::input_not_found), "no file"));
}

TEST_F(SoundFileReaderTest, ADirectoryIsNoFile) {
  EXPECT_TRUE(holds(refusal(folder_.path()), "is a directory"));
}

TEST_F(SoundFileReaderTest, APipeIsRefusedAndDoesNotBlock) {
  ASSERT_EQ(::mkfifo(file("pipe.wav").c_str(), 0600), 0);
  EXPECT_TRUE(holds(refusal(file("pipe.wav")), "standard input"));
}

TEST_F(SoundFileReaderTest, AnEmptyFileHoldsNoAudio) {
  write_bytes(file("empty.wav"), "");
  EXPECT_TRUE(holds(refusal(file("empty.wav")), "holds no audio"));
}

TEST_F(SoundFileReaderTest, TextIsNoSound) {
  write_bytes(file("text.wav"), "Dear Sir or Madam,\nthis is not a sound file, whatever its name may say.\n");
  EXPECT_TRUE(holds(refusal(file("text.wav")), "not a sound file"));
}

TEST_F(SoundFileReaderTest, ATruncatedHeaderIsRefusedAtEveryLength) {
  write_sound(file("whole.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, {0.5F});
  const std::string whole = bytes_of(file("whole.wav"));
  for (std::size_t length = 1; length <= 44; ++length) {
    write_bytes(file("cut.wav"), whole.substr(0, length));
    refusal(file("cut.wav"));
  }
}

TEST_F(SoundFileReaderTest, AFileWithoutFramesHoldsNoAudio) {
  write_sound(file("none.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, {});
  EXPECT_TRUE(holds(refusal(file("none.wav")), "holds no audio"));
}

TEST_F(SoundFileReaderTest, AFileThatEndsEarlyIsReadAsFarAsItGoes) {
  write_sound(file("whole.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, std::vector<float>(1000, 0.25F));
  write_bytes(file("cut.wav"), bytes_of(file("whole.wav")).substr(0, 44 + 2 * 700));
  SoundFileReader reader(file("cut.wav"));
  std::vector<float> samples(1000);
  EXPECT_EQ(reader.read(samples), 700U);
  EXPECT_EQ(samples[699], 0.25F);
  EXPECT_EQ(reader.read(samples), 0U);
}

TEST_F(SoundFileReaderTest, AFileThatEndsEarlySaysHowMuchIsMissing) {
  write_sound(file("whole.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, std::vector<float>(1000, 0.25F));
  const auto notice_of = [this](const char* name) {
    SoundFileReader reader(file(name));
    std::vector<float> samples(2000);
    reader.read(samples);
    return reader.take_notice().value_or("");
  };
  EXPECT_EQ(notice_of("whole.wav"), "");
  write_bytes(file("cut.wav"), bytes_of(file("whole.wav")).substr(0, 44 + 2 * 700));
  EXPECT_TRUE(holds(notice_of("cut.wav"), "600 bytes"));
}

TEST_F(SoundFileReaderTest, AFileWhoseWriterDiedBeforeTheHeaderWasFilledInIsRead) {
  write_sound(file("whole.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, std::vector<float>(1000, 0.25F));
  std::string bytes = bytes_of(file("whole.wav"));
  bytes.replace(4, 4, std::string_view("\x08\0\0\0", 4));
  bytes.replace(40, 4, 4, '\0');
  write_bytes(file("died.wav"), bytes);
  SoundFileReader reader(file("died.wav"));
  std::vector<float> samples(2000);
  EXPECT_EQ(reader.read(samples), 1000U);
}

TEST_F(SoundFileReaderTest, SamplesThatAreNoNumbersBecomeSilenceAndAreCounted) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  write_sound(file("nan.wav"), 16000, 1, SF_FORMAT_WAV | SF_FORMAT_FLOAT, {0.5F, nan, infinity, -infinity, -0.5F});
  SoundFileReader reader(file("nan.wav"));
  std::vector<float> samples(5);
  ASSERT_EQ(reader.read(samples), 5U);
  EXPECT_EQ(samples, (std::vector{0.5F, 0.0F, 0.0F, 0.0F, -0.5F}));
  EXPECT_EQ(reader.repaired_samples(), 3);
}

TEST_F(SoundFileReaderTest, OneHertzIsRefusedWithTheRatesThatAreRead) {
  write_sound(file("slow.wav"), 1, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, {0.5F, 0.5F});
  EXPECT_TRUE(holds(refusal(file("slow.wav")), "1 Hz: convert it to one between 4000 and 768000 Hz"));
}

TEST_F(SoundFileReaderTest, TheLowestAndTheHighestRateAreRead) {
  for (const int rate : {kLowestRate, kHighestRate}) {
    const auto path = file(rate == kLowestRate ? "low.wav" : "high.wav");
    write_sound(path, rate, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, {0.5F, 0.5F});
    EXPECT_EQ(SoundFileReader(path).format().sample_rate, rate);
  }
}

TEST_F(SoundFileReaderTest, ThirtyTwoChannelsAreRead) {
  std::vector<float> frames;
  for (int i = 0; i < 64; ++i) frames.push_back(static_cast<float>(i) / 64);
  write_sound(file("wide.wav"), 48000, 32, SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, frames);
  SoundFileReader reader(file("wide.wav"));
  EXPECT_EQ(reader.format().channels, 32);
  std::vector<float> samples(64);
  EXPECT_EQ(reader.read(samples), 2U);
  EXPECT_EQ(samples, frames);
}

TEST_F(SoundFileReaderTest, SixtyFiveChannelsAreTooMany) {
  write_sound(file("wide.wav"), 48000, 65, SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, std::vector<float>(65));
  EXPECT_TRUE(holds(refusal(file("wide.wav")), "65 channels"));
}

TEST_F(SoundFileReaderTest, EverySampleFormatGivesTheSameSound) {
  std::vector<float> sound(1000);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    sound[i] = std::round(16384 * std::sin(static_cast<float>(i) / 10)) / 32768;
  }
  for (const int format :
       {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_PCM_24, SF_FORMAT_WAV | SF_FORMAT_PCM_32,
        SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_WAV | SF_FORMAT_DOUBLE, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
        SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_CAF | SF_FORMAT_PCM_24}) {
    write_sound(file("a.snd"), 16000, 1, format, sound);
    SoundFileReader reader(file("a.snd"));
    EXPECT_EQ(reader.frames(), 1000);
    std::vector<float> samples(1000);
    ASSERT_EQ(reader.read(samples), 1000U);
    for (std::size_t i = 0; i < 1000; ++i) ASSERT_NEAR(samples[i], sound[i], 1.0 / 32768) << std::hex << format;
  }
}

TEST_F(SoundFileReaderTest, LossyFormatsAreReadToTheirEnd) {
  std::vector<float> sound(16000);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = 0.5F * std::sin(static_cast<float>(i) / 10);
  for (const int format :
       {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    write_sound(file("a.snd"), 16000, 1, format, sound);
    SoundFileReader reader(file("a.snd"));
    std::vector<float> samples(100'000);
    const auto frames = static_cast<double>(reader.read(samples));  // Opus is decoded at 48000 Hz
    EXPECT_NEAR(frames / reader.format().sample_rate, 1, 0.16) << std::hex << format;
    EXPECT_EQ(reader.take_notice(), std::nullopt);
  }
}

TEST_F(SoundFileReaderTest, SeekingGoesOnFromTheFrame) {
  std::vector<float> sound(1000);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = static_cast<float>(i) / 1024;
  write_sound(file("a.wav"), 16000, 2, SF_FORMAT_WAV | SF_FORMAT_PCM_16, sound);
  SoundFileReader reader(file("a.wav"));
  reader.seek(123);
  std::vector<float> frame(2);
  ASSERT_EQ(reader.read(frame), 1U);
  EXPECT_EQ(frame, (std::vector{sound[246], sound[247]}));
  EXPECT_THROW(reader.seek(501), RecorderError);
}

TEST_F(SoundFileReaderTest, ADamagedFLACIsReadUpToTheDamageAndSaysSo) {
  std::vector<float> sound(100'000);
  std::uint32_t state = 1;
  for (float& sample : sound)
    sample = static_cast<float>(state = state * 1664525U + 1013904223U) / 4294967296.0F - 0.5F;
  write_sound(file("whole.flac"), 16000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, sound);
  const std::string whole = bytes_of(file("whole.flac"));
  write_bytes(file("cut.flac"), whole.substr(0, whole.size() / 2));
  SoundFileReader reader(file("cut.flac"));
  std::vector<float> samples(200'000);
  const std::size_t frames = reader.read(samples);
  EXPECT_GT(frames, 30'000U);
  EXPECT_LT(frames, 60'000U);
  EXPECT_TRUE(holds(reader.take_notice().value_or(""), "was cut off"));
}

TEST(SoundFileReader, ReadsRealSpeech) {
  DICTUM_TEST_DATA_OR_SKIP(path, "audio/jfk.wav");
  SoundFileReader reader(path);
  EXPECT_EQ(reader.format(), (AudioFormat{.sample_rate = 16000, .channels = 1}));
  EXPECT_EQ(reader.frames(), 176'000);
  std::vector<float> samples(200'000);
  EXPECT_EQ(reader.read(samples), 176'000U);
}

}  // namespace
}  // namespace dictum::audio
