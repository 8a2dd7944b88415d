#include "audio/sound_input.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "audio/sound_file_reader.hpp"
#include "sound_in_both_ways.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::audio {
namespace {

using test::read_both_ways;
using test::ReadSound;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string number(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i));
  return result;
}

std::string chunk(const std::string& name, const std::string& content) {
  return name + number(content.size(), 4) + content + std::string(content.size() % 2, '\0');
}

struct Format {
  unsigned encoding = 1;
  unsigned channels = 1;
  unsigned rate = 16000;
  unsigned bits = 16;
  unsigned frame_bytes = channels * bits / 8;
};

std::string wav(const Format& format, std::uint64_t announced, const std::string& data) {
  return "RIFF" + number(0xFFFFFFFF, 4) + "WAVE" +
         chunk("fmt ", number(format.encoding, 2) + number(format.channels, 2) + number(format.rate, 4) +
                           number(format.rate * format.frame_bytes, 4) + number(format.frame_bytes, 2) +
                           number(format.bits, 2)) +
         "data" + number(announced, 4) + data;
}

// Samples of 16 bits that count up from 1.
std::string counting(int count) {
  std::string bytes;
  for (int i = 1; i <= count; ++i) bytes += number(static_cast<std::uint64_t>(i), 2);
  return bytes;
}

std::vector<int> as_16_bits(const ReadSound& sound) {
  std::vector<int> result;
  for (const float sample : sound.samples) result.push_back(static_cast<int>(std::lround(sample * 32768)));
  return result;
}

std::vector<int> numbers(int count) {
  std::vector<int> result;
  for (int i = 1; i <= count; ++i) result.push_back(i);
  return result;
}

class SoundInputTest : public testing::Test {
 protected:
  ReadSound read(const std::string& bytes, std::optional<RawFormat> raw = std::nullopt) const {
    return read_both_ways(folder.path(), bytes, raw);
  }

  const test::TemporaryDirectory folder;
};

TEST_F(SoundInputTest, AWholeWAVHasNoNotices) {
  const ReadSound sound = read(wav({}, 2000, counting(1000)));
  EXPECT_EQ(as_16_bits(sound), numbers(1000));
  EXPECT_THAT(sound.notices, IsEmpty());
}

TEST_F(SoundInputTest, AnnouncedLengthsOfWritersThatDidNotKnowThemDoNotEndTheSound) {
  for (const std::uint64_t announced : {0U, 0xFFFFFFFFU, 0x7FFFFFFFU, 0x7FFFF000U, 0x80000000U}) {
    const ReadSound sound = read(wav({}, announced, counting(1000)));
    EXPECT_EQ(as_16_bits(sound), numbers(1000)) << announced;
    EXPECT_THAT(sound.notices, IsEmpty()) << announced;
  }
}

TEST_F(SoundInputTest, ALengthThatIsTooShortDoesNotEndTheSound) {
  const ReadSound sound = read(wav({}, 500, counting(1000)));
  EXPECT_EQ(as_16_bits(sound), numbers(1000));
  EXPECT_THAT(sound.notices, ElementsAre(HasSubstr("more than the 500 bytes")));
}

TEST_F(SoundInputTest, MissingBytesAreCounted) {
  const ReadSound sound = read(wav({}, 5000, counting(1000)));
  EXPECT_EQ(as_16_bits(sound), numbers(1000));
  EXPECT_THAT(sound.notices, ElementsAre(HasSubstr("was cut off: 3000 bytes (0.1 s)")));
}

TEST_F(SoundInputTest, ChunksBehindTheAudioAreNoAudio) {
  for (const char* const name : {"LIST", "bext", "axml", "abcd"}) {
    for (const std::size_t size : {0U, 7U, 30'001U}) {
      const ReadSound sound =
          read(wav({}, 2000, counting(1000)) + chunk(name, std::string(size, 'x')) + chunk("id3 ", "another"));
      EXPECT_EQ(as_16_bits(sound), numbers(1000)) << name << size;
      EXPECT_THAT(sound.notices, IsEmpty());
    }
  }
}

TEST_F(SoundInputTest, AnOddLengthIsFollowedByAByteOfNothing) {
  const Format bytes{.bits = 8};
  const ReadSound sound = read(wav(bytes, 3, "\x81\x82\x83") + std::string(1, '\0') + chunk("LIST", "text"));
  EXPECT_EQ(sound.frames(), 3);
}

TEST_F(SoundInputTest, FilesThatWereJoinedAreReadOneAfterTheOther) {
  const std::string one = wav({}, 2000, counting(1000));
  const ReadSound sound = read(one + chunk("LIST", "text") + one + one);
  EXPECT_EQ(sound.frames(), 3000);
  EXPECT_THAT(sound.notices, IsEmpty());
}

TEST_F(SoundInputTest, AJoinedFileOfAnotherFormatIsReported) {
  const ReadSound sound = read(wav({}, 2000, counting(1000)) + wav({.rate = 8000}, 2000, counting(1000)));
  EXPECT_EQ(sound.frames(), 1000);
  EXPECT_THAT(sound.notices, ElementsAre(HasSubstr("8000 Hz")));
}

TEST_F(SoundInputTest, AnRF64EndsWhereItsLongLengthSays) {
  std::string bytes = "RF64" + number(0xFFFFFFFF, 4) + "WAVE" +
                      chunk("ds64", number(0, 8) + number(2000, 8) + number(1000, 8) + number(0, 4)) +
                      wav({}, 0xFFFFFFFF, counting(1000)).substr(12) + chunk("axml", std::string(64'000, '~'));
  const ReadSound sound = read(bytes);
  EXPECT_EQ(as_16_bits(sound), numbers(1000));
  EXPECT_THAT(sound.notices, IsEmpty());
}

// 4 GiB and 2000 bytes, of which 32 bits hold the 2000.
TEST_F(SoundInputTest, ALengthBeyondFourGigabytesInThirtyTwoBitsIsReadToTheEnd) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  const auto path = folder / "long.wav";
  std::ofstream file(path, std::ios::binary);
  file << wav({}, 2000, "");
  file.seekp(static_cast<std::streamoff>(kWrap + 44));  // a hole, which takes no room
  file << counting(1000) << chunk("LIST", "text");
  file.close();
  SoundFileReader reader(path);
  EXPECT_EQ(reader.frames(), static_cast<std::int64_t>((kWrap + 2000) / 2));
  reader.seek(static_cast<std::int64_t>(kWrap / 2 - 10));
  std::vector<float> samples(5000);
  EXPECT_EQ(reader.read(samples), 1010U);
  EXPECT_EQ(samples[10], 1.0F / 32768);
}

// The standard puts samples at the top of wider places; some writers at the bottom.
TEST_F(SoundInputTest, FramesAreAsFarApartAsTheHeaderSays) {
  std::string top;
  std::string bottom;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    top += number(0, 2) + number(i, 2);
    bottom += number(i, 2) + number(0, 2);
  }
  const Format padded{.bits = 16, .frame_bytes = 4};
  EXPECT_EQ(as_16_bits(read(wav(padded, 4000, top))), numbers(1000));
  EXPECT_EQ(as_16_bits(read(wav(padded, 4000, std::string(400, '\0') + bottom.substr(400)))).back(), 1000);
}

TEST_F(SoundInputTest, NumbersOf16BitsThatAreStoredAsFloatsAreScaled) {
  std::string data(4000, '\0');
  for (int i = 0; i < 10'000; ++i) {
    const float sample = std::round(9000 * std::sin(static_cast<float>(i) / 10));
    data.append(reinterpret_cast<const char*>(&sample), sizeof sample);
  }
  const ReadSound sound = read(wav({.encoding = 3, .bits = 32}, data.size(), data));
  ASSERT_EQ(sound.frames(), 11'000);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_NEAR(sound.samples[static_cast<std::size_t>(1000 + i)], 9000.0 / 32768 * std::sin(i / 10.0), 1e-3) << i;
  }
  EXPECT_THAT(sound.notices, ElementsAre(HasSubstr("divided by 32768")));
}

TEST_F(SoundInputTest, SamplesThatAreNoNumbersAreSilenceAndReported) {
  std::string data;
  for (const float sample : {0.5F, std::numeric_limits<float>::quiet_NaN(), -HUGE_VALF, 0.25F}) {
    data.append(reinterpret_cast<const char*>(&sample), sizeof sample);
  }
  const ReadSound sound = read(wav({.encoding = 3, .bits = 32}, data.size(), data));
  EXPECT_EQ(sound.samples, (std::vector{0.5F, 0.0F, 0.0F, 0.25F}));
  EXPECT_THAT(sound.notices, ElementsAre(HasSubstr("2 samples that are no numbers")));
}

TEST_F(SoundInputTest, RawSamplesAreReadAsSaid) {
  const RawFormat raw{.sample = SampleFormat::s16, .audio = {.sample_rate = 16000, .channels = 1}};
  EXPECT_EQ(as_16_bits(read(counting(1000), raw)), numbers(1000));
  EXPECT_EQ(as_16_bits(read(counting(2), raw)), numbers(2)) << "less than a header";
  EXPECT_EQ(as_16_bits(read(counting(1000).substr(0, 1001), raw)), numbers(500)) << "cut off inside of a sample";
  auto both = numbers(1000);
  both.insert(both.end(), both.begin(), both.begin() + 1000);
  EXPECT_EQ(as_16_bits(read(counting(1000) + counting(1000), raw)), both) << "joined";
}

TEST_F(SoundInputTest, WhatIsNoSoundIsRefused) {
  for (const std::string& bytes :
       {std::string("x"), std::string("Dear Sir or Madam,\nthis is no sound.\n"), std::string(100'000, '\0'),
        wav({}, 2000, "").substr(0, 30), std::string("ID3\4\0\0\0\0\0\0", 10), std::string("fLaC\0\0\0\x22", 8)}) {
    EXPECT_NE(read(bytes).refusal, "") << bytes.substr(0, 20);
  }
}

}  // namespace
}  // namespace dictum::audio
