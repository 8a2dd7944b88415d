#include "audio/wav_header_parser.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

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

WAVHeaderParser parsed(const std::string& text) {
  WAVHeaderParser parser;
  EXPECT_EQ(parser.parse(bytes(text)), text.size());
  EXPECT_TRUE(parser.done());
  return parser;
}

void expect_refused(const std::string& text) {
  WAVHeaderParser parser;
  try {
    parser.parse(bytes(text));
    ADD_FAILURE() << "took it";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_unreadable);
  }
}

TEST(WAVHeaderParser, ReadsThePlainHeader) {
  const auto parser = parsed(header(1000));
  EXPECT_EQ(parser.format(), (AudioFormat{.sample_rate = 48000, .channels = 2}));
  EXPECT_EQ(parser.sample_format(), SampleFormat::s16);
  EXPECT_EQ(parser.audio_bytes(), 1000U);
}

TEST(WAVHeaderParser, LeavesTheAudioAlone) {
  WAVHeaderParser parser;
  const std::string text = header(4);
  EXPECT_EQ(parser.parse(bytes(text + "abcd")), text.size());
  EXPECT_EQ(parser.parse(bytes("abcd")), 0U);
}

TEST(WAVHeaderParser, TakesPiecesOfAnySize) {
  const std::string text = header(1000, chunk("LIST", std::string(77, 'x')));
  for (std::size_t size = 1; size < text.size(); ++size) {
    WAVHeaderParser parser;
    for (std::size_t at = 0; at < text.size(); at += size) {
      ASSERT_FALSE(parser.done());
      const std::string piece = text.substr(at, size);
      ASSERT_EQ(parser.parse(bytes(piece)), piece.size());
    }
    ASSERT_TRUE(parser.done());
    EXPECT_EQ(parser.format().sample_rate, 48000);
  }
}

TEST(WAVHeaderParser, KnowsThatAWriterDidNotKnowTheLength) {
  for (const std::uint32_t length : {0U, 0xFFFFFFFFU, 0x7FFFFFFFU, 0x80000000U, 0x7FFFF000U}) {
    EXPECT_EQ(parsed(header(length)).audio_bytes(), std::nullopt) << length;
  }
}

TEST(WAVHeaderParser, ReadsExtensibleHeaders) {
  const auto parser = parsed(riff(chunk("fmt ", fmt_content(0xFFFE, 6, 44100, 32) + number(22, 2) + number(32, 2) +
                                                    number(0x3F, 4) + number(3, 2) + std::string(14, '\0')) +
                                  "data" + number(0, 4)));
  EXPECT_EQ(parser.sample_format(), SampleFormat::f32);
  EXPECT_EQ(parser.format(), (AudioFormat{.sample_rate = 44100, .channels = 6}));
}

TEST(WAVHeaderParser, RefusesWhatIsNoWAV) {
  expect_refused("Dear Sir or Madam");
  expect_refused("RIFF" + number(100, 4) + "AVI LIST");
}

TEST(WAVHeaderParser, RefusesDamagedHeaders) {
  expect_refused(riff("data" + number(100, 4)));
  expect_refused(riff(chunk("fmt ", "short")));
}

TEST(WAVHeaderParser, RefusesWhatItCannotDecode) {
  expect_refused(riff(chunk("fmt ", fmt_content(2, 1, 8000, 4))));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 1, 8000, 12))));
  expect_refused(riff(chunk("fmt ", fmt_content(3, 1, 8000, 16))));
}

TEST(WAVHeaderParser, RefusesFormatsOutOfBounds) {
  expect_refused(riff(chunk("fmt ", fmt_content(1, 0, 8000, 16))));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 65535, 8000, 16))));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 1, 0, 16))));
  expect_refused(riff(chunk("fmt ", fmt_content(1, 1, 0xFFFFFFFF, 16))));
}

TEST(WAVHeaderParser, DoesNotSkipForEver) {
  expect_refused(riff("junk" + number(0xFFFFFFFF, 4)));
  std::string many = riff("");
  WAVHeaderParser parser;
  parser.parse(bytes(many));
  const std::string empty = chunk("junk", "");
  EXPECT_THROW(for (int i = 0; i < 10'000'000; ++i) parser.parse(bytes(empty)), RecorderError);
}

}  // namespace
}  // namespace dictum::audio
