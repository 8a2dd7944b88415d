// Audio that clients send as packets of Opus.

#include <gmock/gmock.h>
#include <opus.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "recorder/recordings.hpp"
#include "server/opus_decoder.hpp"
#include "server/remote_audio.hpp"
#include "server/server.hpp"
#include "server/stream_protocol.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::server {
namespace {

using test::Client;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int kRate = 16000;
constexpr Frame kPacket = 320;  // 20 ms
constexpr std::size_t kWavHeader = 44;

/// The bundled sample, 16 bits at 16 kHz, as packets of 20 ms; at its end less than a packet is left out.
std::vector<std::string> packets_of_sample() {
  const std::string pcm = test::contents(test::project_file("samples/voice_note.wav")).substr(kWavHeader);
  int error = 0;
  const std::unique_ptr<OpusEncoder, decltype(&opus_encoder_destroy)> encoder(
      opus_encoder_create(kRate, 1, OPUS_APPLICATION_VOIP, &error), opus_encoder_destroy);
  std::vector<std::string> packets;
  std::array<opus_int16, kPacket> samples{};
  std::array<unsigned char, 4000> packet{};
  for (std::size_t at = 0; at + sizeof samples <= pcm.size(); at += sizeof samples) {
    std::memcpy(samples.data(), pcm.data() + at, sizeof samples);
    const int size = opus_encode(encoder.get(), samples.data(), kPacket, packet.data(), packet.size());
    packets.emplace_back(reinterpret_cast<const char*>(packet.data()), static_cast<std::size_t>(size));
  }
  return packets;
}

const std::vector<std::string>& packets() {
  static const std::vector<std::string> all = packets_of_sample();
  return all;
}

/// What libopus makes of packets that follow each other.
std::vector<float> decoded(const std::vector<std::string>& all) {
  int error = 0;
  const std::unique_ptr<::OpusDecoder, decltype(&opus_decoder_destroy)> decoder(opus_decoder_create(kRate, 1, &error),
                                                                                opus_decoder_destroy);
  std::vector<float> samples;
  std::array<float, kPacket> block{};
  for (const std::string& packet : all) {
    EXPECT_EQ(opus_decode_float(decoder.get(), reinterpret_cast<const unsigned char*>(packet.data()),
                                static_cast<opus_int32>(packet.size()), block.data(), kPacket, 0),
              kPacket);
    samples.insert(samples.end(), block.begin(), block.end());
  }
  return samples;
}

std::vector<std::string> some(std::size_t from, std::size_t count) {
  const auto begin = packets().begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

// A packet

constexpr char kTooLong[] = {'\x1B', '\x03'};  // three frames of 60 ms
constexpr char kSilence[] = {'\x1B', '\x02'};  // two, without any bytes

TEST(OpusPacket, HasTheFramesThatItsHeaderSays) {
  EXPECT_EQ(OpusDecoder::frames_in(packets().front(), kRate), kPacket);
  EXPECT_EQ(OpusDecoder::frames_in(packets().front(), 48000), 3 * kPacket);
  EXPECT_EQ(OpusDecoder::frames_in(std::string_view(kSilence, 2), 48000), 48000 * 120 / 1000);
}

TEST(OpusPacket, OneThatCouldGrowIsNone) {
  EXPECT_FALSE(OpusDecoder::frames_in("", kRate));
  EXPECT_FALSE(OpusDecoder::frames_in(std::string_view(kTooLong, 2), kRate));
  EXPECT_FALSE(OpusDecoder::frames_in("\x1B", kRate));                         // says not how many
  EXPECT_FALSE(OpusDecoder::frames_in(std::string_view("\x1B\0", 2), kRate));  // none
  EXPECT_TRUE(OpusDecoder::frames_in(std::string(OpusDecoder::kMaxPacketBytes, 'x'), kRate));
  EXPECT_FALSE(OpusDecoder::frames_in(std::string(OpusDecoder::kMaxPacketBytes + 1, 'x'), kRate));
}

TEST(OpusHello, NamesARateAndChannelsThatOpusHas) {
  const StreamHello hello = parse_stream_hello(R"({"type":"hello","format":"opus","rate":48000,"channels":2})");
  EXPECT_EQ(hello.encoding, StreamFormat::opus);
  EXPECT_EQ(to_text(parse_stream_hello(to_text(hello))), to_text(hello));
  for (const char* wrong : {R"({"type":"hello","format":"opus","rate":44100})",
                            R"({"type":"hello","format":"opus","rate":48000,"channels":3})"}) {
    try {
      parse_stream_hello(wrong);
      ADD_FAILURE() << wrong;
    } catch (const RecorderError& error) {
      EXPECT_THAT(error.what(), HasSubstr("one or two \"channels\""));
    }
  }
}

// On its way to the recorder

class RemoteOpus : public testing::Test {
 protected:
  void send(std::size_t index) { audio->write_packet(static_cast<Frame>(index) * kPacket, kPacket, packets()[index]); }

  struct Sound {
    std::vector<float> samples;      ///< without gaps
    std::vector<Frame> gaps;         ///< their lengths
    std::vector<std::size_t> begin;  ///< of each, in samples
    bool has_ended = false;
  };
  Sound read() const {
    Sound sound;
    std::array<float, 100> block{};
    for (;;) {
      const Reading reading = source->read(block);
      sound.samples.insert(sound.samples.end(), block.begin(),
                           block.begin() + static_cast<std::ptrdiff_t>(reading.frames));
      if (const auto* const gap = std::get_if<SourceGap>(&reading.then)) {
        sound.gaps.push_back(gap->frames);
        sound.begin.push_back(sound.samples.size());
      } else if (reading.frames == 0 || std::holds_alternative<SourceEnd>(reading.then)) {
        sound.has_ended = std::holds_alternative<SourceEnd>(reading.then);
        return sound;
      }
    }
  }

  std::shared_ptr<RemoteAudio> audio = std::make_shared<RemoteAudio>(AudioFormat{kRate, 1}, "stream:test", [] {});
  std::unique_ptr<AudioSource> source = audio->make_source();
};

TEST_F(RemoteOpus, PacketsBecomeTheSoundThatLibopusMakesOfThem) {
  for (std::size_t i = 0; i < 40; ++i) send(i);
  audio->finish();
  const Sound sound = read();
  EXPECT_EQ(sound.samples, decoded(some(0, 40)));
  EXPECT_THAT(sound.gaps, SizeIs(0));
  EXPECT_TRUE(sound.has_ended);
}

TEST_F(RemoteOpus, APacketThatIsSentTwiceIsDropped) {
  for (std::size_t i = 0; i < 20; ++i) send(i);
  send(18);
  for (std::size_t i = 19; i < 40; ++i) send(i);
  EXPECT_EQ(read().samples, decoded(some(0, 40)));
}

TEST_F(RemoteOpus, PacketsThatAreMissingAreAGapOfTheirFramesAndTheNextOnesBeginAnew) {
  for (std::size_t i = 0; i < 10; ++i) send(i);
  for (std::size_t i = 13; i < 30; ++i) send(i);
  const Sound sound = read();
  EXPECT_THAT(sound.gaps, ElementsAre(3 * kPacket));
  EXPECT_THAT(sound.begin, ElementsAre(10 * kPacket));
  std::vector<float> expected = decoded(some(0, 10));
  const std::vector<float> behind = decoded(some(13, 17));
  expected.insert(expected.end(), behind.begin(), behind.end());
  EXPECT_EQ(sound.samples, expected);
}

TEST_F(RemoteOpus, APacketThatCannotBeDecodedIsAGapOfItsFrames) {
  for (std::size_t i = 0; i < 10; ++i) send(i);
  // Two frames of 10 ms, the second of which would begin behind the end of the packet.
  const std::string broken = "\x02\xFE\x7F";
  const Frame frames = OpusDecoder::frames_in(broken, kRate).value();
  ASSERT_EQ(frames, kPacket);
  audio->write_packet(10 * kPacket, frames, broken);
  for (std::size_t i = 11; i < 30; ++i) send(i);
  audio->write_packet(30 * kPacket, frames, broken);
  audio->finish();
  const Sound sound = read();
  EXPECT_THAT(sound.gaps, ElementsAre(kPacket, kPacket));
  EXPECT_THAT(sound.begin, ElementsAre(10 * kPacket, 29 * kPacket));
  EXPECT_TRUE(sound.has_ended);
  EXPECT_EQ(audio->received(), 31 * kPacket);
}

TEST_F(RemoteOpus, APacketThatIsHalfKnownAddsOnlyItsOtherHalf) {
  send(0);
  audio->write_packet(kPacket / 2, kPacket, packets()[1]);
  EXPECT_EQ(audio->received(), kPacket + kPacket / 2);
  EXPECT_THAT(read().samples, SizeIs(kPacket + kPacket / 2));
}

TEST_F(RemoteOpus, AFewBytesOfMuchAudioFillTheQueueAsMuchAudioDoes) {
  const std::string_view silence(kSilence, 2);
  const Frame frames = OpusDecoder::frames_in(silence, kRate).value();
  int sent = 0;
  for (; !audio->is_full(); ++sent) audio->write_packet(sent * frames, frames, std::string(silence));
  EXPECT_EQ(sent, 9);  // the first second
  read();
  EXPECT_FALSE(audio->is_full());
}

// Over the network

class StreamingOpus : public testing::Test {
 protected:
  static RecorderConfig config(const std::filesystem::path& root) {
    RecorderConfig config;
    config.vad.detector = "energy";
    config.transcription.transcriber = "none";
    config.session.root = root;
    config.session.durability = "crash";
    return config;
  }

  /// A connection on which a stream has begun, or goes on.
  std::pair<Client, StreamWelcome> open(const std::string& first) const {
    Client client(server.url());
    EXPECT_EQ(client.upgrade("/api/v1/stream").status, 101);
    client.send_text(first);
    return {std::move(client), std::get<StreamWelcome>(parse_stream_message(client.message().value()))};
  }

  static void send(Client& client, Frame first, std::string_view bytes) {
    client.send_frame(Client::Opcode::binary, stream_frame_number(first).append(bytes));
  }

  static std::vector<std::string> finish(Client& client) {
    client.send_text(kStreamStop);
    std::vector<std::string> all;
    while (auto message = client.message()) all.push_back(std::move(*message));
    return all;
  }

  /// Its sound files, and where its segments are.
  std::vector<std::string> content_of(const std::string& session) const {
    std::vector<std::string> content;
    for (const auto& [name, bytes] : test::files_in(folder / "remote" / session)) {
      if (name.ends_with(".wav")) content.insert(content.end(), {name, bytes});
    }
    for (const TranscriptSegment& segment : open_session(folder / "remote" / session).segments) {
      content.push_back(std::to_string(segment.start_frame) + "-" + std::to_string(segment.end_frame));
    }
    return content;
  }

  test::TemporaryDirectory folder;
  Server server{config(folder / "remote"), {}};
  const std::string hello = R"({"type":"hello","device":"Kitchen","format":"opus","rate":16000})";
};

TEST_F(StreamingOpus, TheSessionIsThatOfTheDecodedSamplesAlsoWhereTheConnectionBreaks) {
  auto [pcm, of_samples] = open(R"({"type":"hello","device":"Kitchen","format":"f32","rate":16000})");
  const std::vector<float> samples = decoded(packets());
  for (std::size_t at = 0; at < samples.size(); at += kPacket) {
    send(pcm, static_cast<Frame>(at), {reinterpret_cast<const char*>(samples.data() + at), kPacket * sizeof(float)});
  }
  finish(pcm);

  auto opened = open(hello);
  std::optional<Client> client(std::move(opened.first));
  const StreamWelcome of_packets = opened.second;
  for (std::size_t next = 0; next < packets().size();) {
    const std::size_t end = std::min(next + 150, packets().size());
    for (; next < end; ++next) send(*client, static_cast<Frame>(next) * kPacket, packets()[next]);
    if (next == packets().size()) break;
    client.reset();
    auto again = open(R"({"type":"hello","resume":")" + of_packets.token + "\"}");
    client.emplace(std::move(again.first));
    EXPECT_EQ(again.second.received % kPacket, 0);
    next = static_cast<std::size_t>(again.second.received / kPacket);
  }
  const auto messages = finish(*client);
  EXPECT_EQ(std::get<StreamEnded>(parse_stream_message(messages.back())).frames, static_cast<Frame>(samples.size()));
  EXPECT_THAT(content_of(of_packets.session), SizeIs(testing::Gt(6)));
  EXPECT_EQ(content_of(of_packets.session), content_of(of_samples.session));
}

TEST_F(StreamingOpus, WhatIsMissingOrBrokenIsAGapOfTheSession) {
  auto [client, welcome] = open(hello);
  for (std::size_t i = 0; i < 50; ++i) send(client, static_cast<Frame>(i) * kPacket, packets()[i]);
  send(client, 50 * kPacket, "\x02\xFE\x7F");
  for (std::size_t i = 51; i < 60; ++i) send(client, static_cast<Frame>(i) * kPacket, packets()[i]);
  for (std::size_t i = 65; i < 70; ++i) send(client, static_cast<Frame>(i) * kPacket, packets()[i]);
  const auto messages = finish(client);
  EXPECT_THAT(messages, Contains(testing::AllOf(HasSubstr("\"AudioGap\""), HasSubstr("\"start_frame\":16000"),
                                                HasSubstr("\"frames\":320"))));
  EXPECT_THAT(messages, Contains(testing::AllOf(HasSubstr("\"AudioGap\""), HasSubstr("\"start_frame\":19200"),
                                                HasSubstr("\"frames\":1600"))));
  EXPECT_EQ(open_session(folder / "remote" / welcome.session).end_frame, 70 * kPacket);
}

TEST_F(StreamingOpus, WhatIsNoPacketEndsTheStreamWithAProblemAndOthersAreServed) {
  for (const std::string& bomb : {std::string(kTooLong, 2), std::string(), std::string(500'000, '\x1B')}) {
    auto [client, welcome] = open(hello);
    send(client, 0, bomb);
    std::string last;
    Client::Frame closed;
    while (auto message = client.message(&closed)) last = std::move(*message);
    EXPECT_EQ(closed.close_code(), 1008);
    EXPECT_THAT(std::get<StreamProblem>(parse_stream_message(last)).detail,
                HasSubstr("one packet of up to 7662 bytes"));
  }
  auto [client, welcome] = open(hello);
  send(client, 0, packets().front());
  finish(client);
  EXPECT_EQ(open_session(folder / "remote" / welcome.session).end_frame, kPacket);
}

}  // namespace
}  // namespace dictum::server
