#include "audio/wav_writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <numeric>
#include <random>
#include <vector>

#include "audio/pcm16.hpp"
#include "audio/sound_file_reader.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::audio {
namespace {

std::vector<std::int16_t> counting(std::size_t size, int first = 1) {
  std::vector<std::int16_t> samples(size);
  for (std::size_t i = 0; i < size; ++i) samples[i] = static_cast<std::int16_t>(first + static_cast<int>(i) % 30'000);
  return samples;
}

std::vector<std::int16_t> samples_of(const std::filesystem::path& path) {
  SoundFileReader reader(path);
  std::vector<float> samples(static_cast<std::size_t>(reader.frames()));
  EXPECT_EQ(reader.read(samples), samples.size());
  std::vector<std::int16_t> pcm(samples.size());
  to_pcm16(samples, pcm);
  return pcm;
}

// The two sizes in the header, checked against the file itself; returns the frames. What a strict reader demands.
std::int64_t strict_frames(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 44> header{};
  file.read(header.data(), header.size());
  EXPECT_EQ(file.gcount(), 44);
  const auto number = [&](std::size_t at) {
    std::int64_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(header[at + i]);
    return value;
  };
  EXPECT_EQ(std::string_view(header.data(), 4), "RIFF");
  EXPECT_EQ(number(4), number(40) + 36);
  EXPECT_GE(static_cast<std::int64_t>(std::filesystem::file_size(path)), 44 + number(40));
  return number(40) / 2;
}

TEST(WAVWriter, WritesWhatWasAppended) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "a.wav";
  WAVWriter writer(path, 44100);
  const auto samples = counting(1000);
  writer.append(std::span(samples).first(300));
  writer.append({});
  writer.append(std::span(samples).subspan(300));
  EXPECT_EQ(writer.frames(), 1000);
  writer.close();
  EXPECT_EQ(samples_of(path), samples);
  EXPECT_EQ(SoundFileReader(path).format(), (AudioFormat{.sample_rate = 44100, .channels = 1}));
  EXPECT_EQ(std::filesystem::file_size(path), 44U + 2000U);
}

TEST(WAVWriter, IsValidFromTheFirstMomentOn) {
  const test::TemporaryDirectory folder;
  WAVWriter writer(folder / "a.wav", 16000);
  EXPECT_EQ(strict_frames(folder / "a.wav"), 0);
}

TEST(WAVWriter, CanBeReadAfterEveryAppend) {
  const test::TemporaryDirectory folder;
  WAVWriter writer(folder / "a.wav", 16000);
  for (int i = 1; i <= 10; ++i) {
    writer.append(counting(111));
    EXPECT_EQ(strict_frames(folder / "a.wav"), i * 111);
  }
}

TEST(WAVWriter, TruncatesToTheSample) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "a.wav";
  WAVWriter writer(path, 16000);
  writer.append(counting(1000));
  writer.truncate(2000);
  EXPECT_EQ(writer.frames(), 1000) << "there is nothing to drop";
  writer.truncate(501);
  EXPECT_EQ(writer.frames(), 501);
  writer.append(counting(3, 7));
  writer.close();
  auto expected = counting(501);
  expected.insert(expected.end(), {7, 8, 9});
  EXPECT_EQ(samples_of(path), expected);
  EXPECT_EQ(std::filesystem::file_size(path), 44U + 2 * 504U);
}

TEST(WAVWriter, IsForItsOwnerAlone) {
  const test::TemporaryDirectory folder;
  WAVWriter writer(folder / "a.wav", 16000);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "a.wav").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(WAVWriter, NeverOverwrites) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "a.wav") << "precious";
  try {
    WAVWriter writer(folder / "a.wav", 16000);
    FAIL() << "overwrote";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::output_unwritable);
  }
  EXPECT_EQ(std::filesystem::file_size(folder / "a.wav"), 8U);
}

TEST(WAVWriter, AMissingFolderIsUnwritable) {
  const test::TemporaryDirectory folder;
  try {
    WAVWriter writer(folder / "none" / "a.wav", 16000);
    FAIL() << "wrote nowhere";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::output_unwritable);
  }
}

// A limit on the size of files stands in for a disk that fills up.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(WAVWriter, AFullDiskIsReportedAndLosesNothingThatWasWritten) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "a.wav";
  WAVWriter writer(path, 16000);
  const auto samples = counting(1000);
  writer.append(samples);
  {
    const FileSizeLimit limit(44 + 2 * 1500 + 1);  // half of the next samples fit, and half a sample
    try {
      writer.append(samples);
      FAIL() << "wrote over the limit";
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), Errc::disk_full);
    }
    EXPECT_EQ(writer.frames(), 1000);
    EXPECT_EQ(strict_frames(path), 1000);
    EXPECT_EQ(std::filesystem::file_size(path), 44U + 2000U);
  }
  writer.append(samples);
  writer.close();
  EXPECT_EQ(strict_frames(path), 2000) << "once there is room, the same samples can be written";
}

TEST(WAVWriter, AFullDiskAtTheVeryFirstByteIsReported) {
  const test::TemporaryDirectory folder;
  const FileSizeLimit limit(20);
  EXPECT_THROW(WAVWriter(folder / "a.wav", 16000), RecorderError);
}

TEST(WAVWriter, IsValidWhereverItIsKilled) {
  const test::TemporaryDirectory folder;
  std::minstd_rand random(3);
  const int rounds = std::getenv("DICTUM_LONG_TESTS") != nullptr ? 1000 : 40;
  const auto samples = counting(160);
  for (int round = 0; round < rounds; ++round) {
    const auto path = folder / ("a" + std::to_string(round) + ".wav");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        WAVWriter writer(path, 16000);
        for (;;) {
          for (int i = 0; i < 5; ++i) writer.append(samples);
          writer.truncate(writer.frames() - 480);
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    const std::size_t size = 44 + 2 * 2 * samples.size() + random() % 20'000;  // its first block is in the header then
    while (!std::filesystem::exists(path) || std::filesystem::file_size(path) < size) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

    const auto frames = strict_frames(path);
    ASSERT_GT(frames, 0) << round;
    const auto read = samples_of(path);
    ASSERT_EQ(static_cast<std::int64_t>(read.size()), frames);
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i], samples[i % 160]) << "round " << round;
  }
}

}  // namespace
}  // namespace dictum::audio
