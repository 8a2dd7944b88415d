#include "audio/pcm_header.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <variant>

#include "dictum/error.hpp"

namespace dictum::audio {
namespace {

std::string number(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i));
  return result;
}

std::string chunk(const std::string& name, const std::string& content) {
  return name + number(content.size(), 4) + content + std::string(content.size() % 2, '\0');
}

std::string fmt_content(unsigned encoding, unsigned channels, unsigned rate, unsigned bits) {
  return number(encoding, 2) + number(channels, 2) + number(rate, 4) + number(rate * channels * bits / 8, 4) +
         number(channels * bits / 8, 2) + number(bits, 2);
}

std::string riff(const std::string& chunks) {
  return "RIFF" + number(0xFFFFFFFF, 4) + "WAVE" + chunks;
}

std::string header(std::uint32_t audio_bytes, const std::string& before = {}) {
  return riff(before + chunk("fmt ", fmt_content(1, 2, 48000, 16)) + "data" + number(audio_bytes, 4));
}

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

PCMHeader parsed(const std::string& text) {
  const PCMHeaderResult result = parse_pcm_header(bytes(text));
  EXPECT_TRUE(std::holds_alternative<PCMHeader>(result));
  return std::holds_alternative<PCMHeader>(result) ? std::get<PCMHeader>(result) : PCMHeader{};
}

void expect_refused(const std::string& text) {
  try {
    parse_pcm_header(bytes(text));
    ADD_FAILURE() << "took it";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_unreadable);
  }
}

void expect_not_pcm(const std::string& text) {
  EXPECT_TRUE(std::holds_alternative<NotPCM>(parse_pcm_header(bytes(text))));
}

TEST(PCMHeader, ReadsThePlainWAVHeader) {
  const PCMHeader plain = parsed(header(1000));
  EXPECT_EQ(plain.format, (AudioFormat{.sample_rate = 48000, .channels = 2}));
  EXPECT_EQ(plain.sample, SampleFormat::s16);
  EXPECT_EQ(plain.frame_bytes, 4U);
  EXPECT_EQ(plain.audio_bytes, 1000U);
  EXPECT_TRUE(plain.is_certain);
}

TEST(PCMHeader, AsksForNoMoreBytesThanTheHeaderHas) {
  const std::string text = header(1000, chunk("LIST", std::string(77, 'x')));
  std::size_t have = 0;
  for (int i = 0; i < 20; ++i) {
    const auto result = parse_pcm_header(bytes(text).first(have));
    if (const auto* found = std::get_if<PCMHeader>(&result)) {
      EXPECT_EQ(found->audio_begin, text.size());
      EXPECT_EQ(have, text.size());
      return;
    }
    ASSERT_GT(std::get<NeedsBytes>(result).count, have);
    have = std::get<NeedsBytes>(result).count;
    ASSERT_LE(have, text.size());
  }
  ADD_FAILURE() << "came to no end";
}

TEST(PCMHeader, LengthsOfWritersThatDidNotKnowThemAreNotCertain) {
  for (const std::uint32_t length : {0U, 0xFFFFFFFFU, 0x7FFFFFFFU, 0x80000000U, 0x7FFFF000U}) {
    EXPECT_FALSE(parsed(header(length)).is_certain) << length;
  }
  EXPECT_TRUE(parsed(header(0xC0000000U)).is_certain) << "3 GiB";
}

TEST(PCMHeader, RF64HasItsLengthInAnotherChunk) {
  const std::string ds64 = chunk("ds64", number(0, 8) + number(5'000'000'000, 8) + number(0, 8) + number(0, 4));
  std::string text = header(0xFFFFFFFF, ds64);
  text.replace(0, 4, "RF64");
  EXPECT_EQ(parsed(text).audio_bytes, 5'000'000'000U);
  EXPECT_TRUE(parsed(text).is_certain);
}

TEST(PCMHeader, ReadsExtensibleHeaders) {
  const PCMHeader wide = parsed(riff(chunk("fmt ", fmt_content(0xFFFE, 6, 44100, 32) + number(22, 2) + number(32, 2) +
                                                       number(0x3F, 4) + number(3, 2) + std::string(14, '\0')) +
                                     "data" + number(0, 4)));
  EXPECT_EQ(wide.sample, SampleFormat::f32);
  EXPECT_EQ(wide.format, (AudioFormat{.sample_rate = 44100, .channels = 6}));
}

TEST(PCMHeader, TheDistanceOfFramesIsTheOneThatTheWriterSays) {
  std::string format = fmt_content(1, 2, 48000, 24);
  format.replace(12, 2, number(8, 2));  // each sample in four bytes
  EXPECT_EQ(parsed(riff(chunk("fmt ", format) + "data" + number(80, 4))).frame_bytes, 8U);
}

TEST(PCMHeader, OtherFilesAreNotPCM) {
  expect_not_pcm("Dear Sir or Madam");
  expect_not_pcm("RIFF" + number(100, 4) + "AVI LIST");
  expect_not_pcm("fLaC and what follows");
}

TEST(PCMHeader, CompressedSamplesAreNotPCM) {
  expect_not_pcm(riff(chunk("fmt ", fmt_content(2, 1, 8000, 4))));
  expect_not_pcm(riff(chunk("fmt ", fmt_content(85, 1, 8000, 0))));
  expect_not_pcm(riff(chunk("fmt ", fmt_content(3, 1, 8000, 16))));
}

TEST(PCMHeader, RefusesDamagedHeaders) {
  expect_refused(riff("data" + number(100, 4)));
  expect_refused(riff(chunk("fmt ", "short")));
}

TEST(PCMHeader, RefusesFormatsOutOfBounds) {
  const std::string data = "data" + number(8, 4);
  expect_refused(riff(chunk("fmt ", fmt_content(1, 0, 8000, 16)) + data));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 65535, 8000, 16)) + data));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 1, 0, 16)) + data));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 1, 0xFFFFFFFF, 16)) + data));
}

TEST(PCMHeader, HeadersWithoutEndAreRefused) {
  expect_refused(riff("junk" + number(0xFFFFFFFF, 4)));
  std::string many = riff("");
  for (int i = 0; i < 5000; ++i) many += chunk("junk", "");
  expect_refused(many);
  expect_refused("caff" + std::string("\0\1\0\0", 4) + "free" + std::string(8, '\xFF'));
}

}  // namespace
}  // namespace dictum::audio
