#include "capture/stream_source.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "audio/wav_writer.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::capture {
namespace {

using std::chrono::milliseconds;

constexpr RawFormat kRaw{.sample = audio::SampleFormat::s16, .audio = {.sample_rate = 16000, .channels = 1}};

std::string number(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i));
  return result;
}

std::string wav_header(std::uint32_t audio_bytes, unsigned channels = 1) {
  return "RIFF" + number(0xFFFFFFFF, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(channels, 2) +
         number(16000, 4) + number(32000 * channels, 4) + number(2 * channels, 2) + number(16, 2) + "data" +
         number(audio_bytes, 4);
}

std::string counting(int begin, int end) {
  std::string bytes;
  for (int i = begin; i < end; ++i) bytes += number(static_cast<std::uint64_t>(i), 2);
  return bytes;
}

// A pipe with a writer whose pace the test decides.
class StreamSourceTest : public testing::Test {
 protected:
  StreamSourceTest() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_ = UniqueFD(ends[0]);
    writer_ = UniqueFD(ends[1]);
  }

  void write(const std::string& bytes) {
    ASSERT_EQ(::write(writer_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  StreamSource& open(std::optional<RawFormat> raw = std::nullopt) {
    source_.emplace(std::move(reader_), "the pipe", raw, milliseconds(20));
    source_->open();
    return *source_;
  }

  // Everything that has arrived, as 16-bit numbers.
  std::vector<int> received(std::size_t buffer_frames = 1000) {
    const auto channels = channels_;
    std::vector<float> buffer(buffer_frames * channels);
    std::vector<int> result;
    for (;;) {
      const Reading reading = source_->read(buffer);
      for (std::size_t i = 0; i < reading.frames * channels; ++i) {
        result.push_back(static_cast<int>(std::lround(buffer[i] * 32768)));
      }
      ended_ = std::holds_alternative<SourceEnd>(reading.then);
      if (ended_ || reading.frames == 0) return result;
    }
  }

  static std::vector<int> numbers(int begin, int end) {
    std::vector<int> result;
    for (int i = begin; i < end; ++i) result.push_back(i);
    return result;
  }

  void expect_refused(std::string_view why, Errc code = Errc::input_unreadable,
                      std::optional<RawFormat> raw = std::nullopt) {
    try {
      open(raw);
      FAIL() << "opened";
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_NE(std::string_view(error.what()).find(why), std::string_view::npos) << error.what();
    }
  }

  UniqueFD reader_, writer_;
  std::optional<StreamSource> source_;
  std::size_t channels_ = 1;
  bool ended_ = false;
};

TEST_F(StreamSourceTest, RecognisesAWAVWhoseWriterDidNotKnowTheLength) {
  for (const std::uint32_t length : {0U, 0xFFFFFFFFU}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_ = UniqueFD(ends[0]);
    writer_ = UniqueFD(ends[1]);
    write(wav_header(length) + counting(0, 100));
    open();
    EXPECT_EQ(received(), numbers(0, 100));
    EXPECT_FALSE(ended_);
    write(counting(100, 150));
    EXPECT_EQ(received(), numbers(100, 150));
    writer_.reset();
    EXPECT_EQ(received(), numbers(0, 0));
    EXPECT_TRUE(ended_);
  }
}

TEST_F(StreamSourceTest, AWAVOfKnownLengthEndsThere) {
  write(wav_header(200) + counting(0, 100) + "LIST and other things behind the audio");
  open();
  writer_.reset();
  EXPECT_EQ(received(), numbers(0, 100));
  EXPECT_TRUE(ended_);
}

TEST_F(StreamSourceTest, RawSamplesNeedAFormat) {
  write(counting(1, 100));
  expect_refused("Send WAV");
}

TEST_F(StreamSourceTest, ReadsRawSamplesOfTheGivenFormat) {
  write(counting(1, 100));
  EXPECT_EQ(open(kRaw).open(), kRaw.audio);
}

TEST_F(StreamSourceTest, RawSamplesAreDeliveredFromTheFirstOn) {
  write(counting(1, 100));
  open(kRaw);
  writer_.reset();
  EXPECT_EQ(received(), numbers(1, 100));
  EXPECT_TRUE(ended_);
}

TEST_F(StreamSourceTest, AWriterThatDiesInAFrameLosesOnlyThatFrame) {
  channels_ = 2;
  write(wav_header(0, 2) + counting(0, 101) + "x");
  open();
  writer_.reset();
  EXPECT_EQ(received(), numbers(0, 100));
  EXPECT_TRUE(ended_);
}

TEST_F(StreamSourceTest, FramesThatArriveInPiecesAreWhole) {
  write(wav_header(0));
  open();
  const std::string bytes = counting(0, 50);
  std::vector<int> all;
  for (const char byte : bytes) {
    write(std::string(1, byte));
    const auto some = received();
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all, numbers(0, 50));
}

TEST_F(StreamSourceTest, NeverWaitsInRead) {
  write(wav_header(0));
  open();
  EXPECT_EQ(received(), numbers(0, 0));
  EXPECT_FALSE(ended_);
}

TEST_F(StreamSourceTest, FillsABufferOfAnySizeExactly) {
  write(wav_header(0) + counting(0, 1000));
  open();
  EXPECT_EQ(received(7), numbers(0, 1000));
}

TEST_F(StreamSourceTest, WhatIsWrittenDuringAPauseIsNotRecorded) {
  channels_ = 2;
  write(wav_header(0, 2) + counting(0, 10) + "x");  // five frames and a half
  open();
  EXPECT_EQ(received(), numbers(0, 10));
  source_->close();
  write(counting(0, 6).substr(1) + "yy");  // up to the middle of another frame
  source_->open();
  write("zz" + counting(20, 24));
  const auto after = received();
  ASSERT_EQ(after.size(), 6U);
  EXPECT_EQ((std::vector(after.begin() + 2, after.end())), numbers(20, 24)) << "the frames are still whole";
}

TEST_F(StreamSourceTest, AWriterThatSaysNothingRunsIntoTheDeadline) {
  expect_refused("no audio came", Errc::timed_out);
}

TEST_F(StreamSourceTest, AWriterThatStopsInTheHeaderRunsIntoTheDeadline) {
  write(wav_header(0).substr(0, 30));
  expect_refused("no audio came", Errc::timed_out);
}

TEST_F(StreamSourceTest, AStreamThatEndsBeforeItBeginsIsRefused) {
  writer_.reset();
  expect_refused("ended before any audio");
}

TEST_F(StreamSourceTest, AStreamThatEndsInTheHeaderIsRefused) {
  write(wav_header(0).substr(0, 30));
  writer_.reset();
  expect_refused("ended before any audio");
}

TEST_F(StreamSourceTest, TextIsRefused) {
  write("Dear Sir or Madam");
  expect_refused("begins as no kind of sound file");
}

TEST_F(StreamSourceTest, ADirectoryIsRefused) {
  reader_ = UniqueFD(::open("/", O_RDONLY | O_CLOEXEC));
  expect_refused("");
}

TEST_F(StreamSourceTest, AFileThatIsRedirectedIsReadToItsEnd) {
  const test::TemporaryDirectory folder;
  audio::WAVWriter writer(folder / "a.wav", 16000);
  std::vector<std::int16_t> samples(30'000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>(i);
  writer.append(samples);
  writer.close();
  reader_ = UniqueFD(::open((folder / "a.wav").c_str(), O_RDONLY | O_CLOEXEC));
  open();
  EXPECT_EQ(received(), numbers(0, 30'000));
  EXPECT_TRUE(ended_);
}

TEST(RawFormat, ReadsItsText) {
  EXPECT_EQ(parse_raw_format("s16le:16000:1"), kRaw);
  EXPECT_EQ(parse_raw_format("f32le:48000:2"),
            (RawFormat{.sample = audio::SampleFormat::f32, .audio = {.sample_rate = 48000, .channels = 2}}));
}

TEST(RawFormat, RefusesEverythingElse) {
  for (const char* text :
       {"", ":", "s16le", "s16le:", "s16le:16000", "s16le:16000:", "s16le:16000:1:", "s16le:16000:1x", "s16be:16000:1",
        "s16le:0:1", "s16le:16000:0", "s16le:-1:1", "s16le:99999999999:1"}) {
    EXPECT_THROW(parse_raw_format(text), RecorderError) << text;
  }
}

}  // namespace
}  // namespace dictum::capture
