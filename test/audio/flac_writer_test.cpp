#include "audio/flac_writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <vector>

#include "audio/pcm16.hpp"
#include "audio/sound_file_reader.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::audio {
namespace {

std::vector<std::int16_t> noise(std::size_t size) {
  std::minstd_rand engine(5);
  std::vector<std::int16_t> samples(size);
  std::ranges::generate(samples, [&] { return static_cast<std::int16_t>(engine()); });
  return samples;
}

std::vector<std::int16_t> samples_of(const std::filesystem::path& path) {
  SoundFileReader reader(path);
  std::vector<float> samples;
  std::vector<float> block(1000);
  while (const std::size_t got = reader.read(block)) {
    samples.insert(samples.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
  }
  std::vector<std::int16_t> pcm(samples.size());
  to_pcm16(samples, pcm);
  return pcm;
}

TEST(FLACWriter, WritesWhatWasAppended) {
  const test::TemporaryDirectory folder;
  const auto samples = noise(50'000);
  FLACWriter writer(folder / "a.flac", 48000);
  for (std::size_t at = 0; at < samples.size(); at += 500) writer.append(std::span(samples).subspan(at, 500));
  EXPECT_EQ(writer.frames(), 50'000);
  writer.close();
  EXPECT_EQ(samples_of(folder / "a.flac"), samples);
  EXPECT_EQ(SoundFileReader(folder / "a.flac").format(), (AudioFormat{.sample_rate = 48000, .channels = 1}));
}

TEST(FLACWriter, ADestroyedWriterLeavesACompleteFile) {
  const test::TemporaryDirectory folder;
  const auto samples = noise(10'000);
  FLACWriter(folder / "a.flac", 16000).append(samples);
  EXPECT_EQ(samples_of(folder / "a.flac"), samples);
}

TEST(FLACWriter, IsForItsOwnerAloneAndNeverOverwrites) {
  const test::TemporaryDirectory folder;
  FLACWriter writer(folder / "a.flac", 16000);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "a.flac").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_THROW(FLACWriter(folder / "a.flac", 16000), RecorderError);
  EXPECT_TRUE(std::filesystem::exists(folder / "a.flac"));
}

TEST(FLACWriter, RefusesARateThatFLACDoesNotHaveAndLeavesNoFile) {
  const test::TemporaryDirectory folder;
  EXPECT_THROW(FLACWriter(folder / "a.flac", 768000), RecorderError);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.flac"));
}

TEST(FLACWriter, AFullDiskIsReported) {
  const test::TemporaryDirectory folder;
  FLACWriter writer(folder / "a.flac", 16000);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 40'000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  Errc code{};
  try {
    for (int i = 0; i < 100; ++i) writer.append(noise(1000));
  } catch (const RecorderError& error) {
    code = static_cast<Errc>(error.code().value());
  }
  EXPECT_THROW(writer.append(noise(10)), RecorderError) << "it takes no more";
  EXPECT_THROW(writer.close(), RecorderError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, Errc::disk_full);
  EXPECT_GT(samples_of(folder / "a.flac").size(), 10'000U) << "what was written stays readable";
}

TEST(FLACWriter, CanBeReadWhereverItIsKilled) {
  const test::TemporaryDirectory folder;
  const auto samples = noise(4096);
  for (int round = 0; round < 5; ++round) {
    const auto path = folder / ("a" + std::to_string(round) + ".flac");
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        FLACWriter writer(path, 16000);
        for (int i = 0;; ++i) {
          writer.append(samples);
          if (i == 10 + round && ::write(ready[1], "x", 1) != 1) ::_exit(1);
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    const auto read = samples_of(path);
    ASSERT_GE(read.size(), static_cast<std::size_t>(10 + round) * 4096);
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i], samples[i % 4096]);
  }
}

}  // namespace
}  // namespace dictum::audio
