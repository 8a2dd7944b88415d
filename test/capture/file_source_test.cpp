#include "capture/file_source.hpp"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <vector>

#include "audio/wav_writer.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::capture {
namespace {

using std::chrono::milliseconds;

class FileSourceTest : public testing::Test {
 protected:
  // A file of `frames` frames that count up from 0.
  std::filesystem::path counting_file(int frames, int rate = 16000) {
    const auto path = folder_ / "counting.wav";
    audio::WAVWriter writer(path, rate);
    std::vector<std::int16_t> samples;
    for (int i = 0; i < frames; ++i) samples.push_back(static_cast<std::int16_t>(i));
    writer.append(samples);
    writer.close();
    return path;
  }

  // Reads to the end; the frames of each reading go to `sizes`.
  static std::vector<int> drain(AudioSource& source, std::size_t buffer_frames,
                                std::vector<std::size_t>* sizes = nullptr) {
    std::vector<float> buffer(buffer_frames);
    std::vector<int> received;
    for (;;) {
      const Reading reading = source.read(buffer);
      if (sizes != nullptr) sizes->push_back(reading.frames);
      for (std::size_t i = 0; i < reading.frames; ++i)
        received.push_back(static_cast<int>(std::lround(buffer[i] * 32768)));
      if (std::holds_alternative<SourceEnd>(reading.then)) return received;
    }
  }

  static std::vector<int> counting(int begin, int end) {
    std::vector<int> result;
    for (int i = begin; i < end; ++i) result.push_back(i);
    return result;
  }

  const test::TemporaryDirectory folder_;
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(std::chrono::system_clock::time_point());
};

TEST_F(FileSourceTest, DeliversEveryFrameInBlocksOfTheSizeThatWasAskedFor) {
  const auto path = counting_file(10'000);
  for (const int block : {1, 160, 441, 1440, 4800}) {
    FileSource source(path, Pace::fast, block, clock_);
    source.open();
    std::vector<std::size_t> sizes;
    EXPECT_EQ(drain(source, 1'000'000, &sizes), counting(0, 10'000));
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) ASSERT_EQ(sizes[i], static_cast<std::size_t>(block));
  }
}

TEST_F(FileSourceTest, DeliversAHundredMillisecondsWhereNoBlockSizeWasAskedFor) {
  FileSource source(counting_file(10'000), Pace::fast, 0, clock_);
  source.open();
  std::vector<float> buffer(100'000);
  EXPECT_EQ(source.read(buffer).frames, 1600U);
}

TEST_F(FileSourceTest, ABufferSmallerThanTheBlockIsFilled) {
  FileSource source(counting_file(1000), Pace::fast, 480, clock_);
  source.open();
  EXPECT_EQ(drain(source, 77), counting(0, 1000));
}

TEST_F(FileSourceTest, FastMeansWithoutWaiting) {
  FileSource fast(counting_file(10), Pace::fast, 0, clock_);
  EXPECT_EQ(fast.pace(), milliseconds(0));
}

TEST_F(FileSourceTest, InRealTimeDeliversWholeBlocksOnceTheyAreDue) {
  FileSource source(counting_file(4000), Pace::realtime, 160, clock_);
  EXPECT_EQ(source.pace(), milliseconds(20));
  source.open();
  std::vector<float> buffer(16000);
  EXPECT_EQ(source.read(buffer).frames, 0U);
  clock_->advance(milliseconds(9));
  EXPECT_EQ(source.read(buffer).frames, 0U);
  clock_->advance(milliseconds(1));
  EXPECT_EQ(source.read(buffer).frames, 160U);
  EXPECT_EQ(source.read(buffer).frames, 0U);
  clock_->advance(milliseconds(25));
  EXPECT_EQ(source.read(buffer).frames, 160U);
  EXPECT_EQ(source.read(buffer).frames, 160U);
  EXPECT_EQ(source.read(buffer).frames, 0U);
}

TEST_F(FileSourceTest, InRealTimeTheLastPartOfABlockIsDueAtItsEnd) {
  FileSource source(counting_file(200), Pace::realtime, 160, clock_);
  source.open();
  std::vector<float> buffer(16000);
  clock_->advance(std::chrono::microseconds(12'400));
  EXPECT_EQ(source.read(buffer).frames, 160U);
  EXPECT_EQ(source.read(buffer).frames, 0U);
  clock_->advance(std::chrono::microseconds(100));
  const Reading last = source.read(buffer);
  EXPECT_EQ(last.frames, 40U);
  EXPECT_TRUE(std::holds_alternative<SourceEnd>(last.then));
}

TEST_F(FileSourceTest, GoesOnWhereItStoppedWhenOpenedAgain) {
  FileSource source(counting_file(1000), Pace::realtime, 160, clock_);
  source.open();
  std::vector<float> buffer(160);
  clock_->advance(milliseconds(10));
  ASSERT_EQ(source.read(buffer).frames, 160U);
  source.close();
  clock_->advance(std::chrono::hours(1));
  EXPECT_EQ(source.open(), (AudioFormat{.sample_rate = 16000, .channels = 1}));
  EXPECT_EQ(source.read(buffer).frames, 0U) << "the pause is not made up for";
  clock_->advance(std::chrono::seconds(1));
  EXPECT_EQ(drain(source, 160), counting(160, 1000));
}

TEST_F(FileSourceTest, AfterTheEndOnlyTheEndFollows) {
  FileSource source(counting_file(10), Pace::fast, 4, clock_);
  source.open();
  drain(source, 100);
  std::vector<float> buffer(100);
  for (int i = 0; i < 2; ++i) {
    const Reading reading = source.read(buffer);
    EXPECT_EQ(reading.frames, 0U);
    EXPECT_TRUE(std::holds_alternative<SourceEnd>(reading.then));
    source.close();
    source.open();
  }
}

TEST_F(FileSourceTest, OpeningReportsWhatIsWrongWithTheFile) {
  FileSource source(folder_ / "none.wav", Pace::fast, 0, clock_);
  try {
    source.open();
    FAIL() << "opened nothing";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_not_found);
  }
}

TEST_F(FileSourceTest, SamplesThatAreNoNumbersAreReportedBeforeTheEnd) {
  const auto path = folder_ / "nan.wav";
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  const float samples[] = {0.5F, std::numeric_limits<float>::quiet_NaN()};
  sf_writef_float(file, samples, 2);
  sf_close(file);

  FileSource source(path, Pace::fast, 100, clock_);
  source.open();
  std::vector<float> buffer(100);
  const Reading first = source.read(buffer);
  EXPECT_EQ(first.frames, 2U);
  ASSERT_TRUE(std::holds_alternative<SourceFault>(first.then));
  EXPECT_NE(std::get<SourceFault>(first.then).message.find("1 samples that are no numbers"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<SourceEnd>(source.read(buffer).then));
}

TEST_F(FileSourceTest, NamesItsFile) {
  const auto path = counting_file(1);
  EXPECT_EQ(FileSource(path, Pace::fast, 0, clock_).description(), "file:" + path.string());
}

TEST(Pacer, KeepsTimeOverDays) {
  const auto clock = std::make_shared<ManualClock>(std::chrono::system_clock::time_point());
  Pacer pacer(Pace::realtime, clock);
  pacer.start(768'000);
  clock->advance(std::chrono::hours(240) + milliseconds(1));
  EXPECT_EQ(pacer.due(), 240LL * 3600 * 768'000 + 768);
}

}  // namespace
}  // namespace dictum::capture
