#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <future>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "base/json.hpp"
#include "client.hpp"
#include "dictum/error.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "dictum/sound_file.hpp"
#include "json_text.hpp"
#include "recorder/recordings.hpp"
#include "server/audio_spool.hpp"
#include "server/opus_decoder.hpp"
#include "server/remote_audio.hpp"
#include "server/safe_frames.hpp"
#include "server/server.hpp"
#include "server/stream_protocol.hpp"
#include "server/stream_sender.hpp"
#include "server/websocket.hpp"
#include "session/file_size_limit.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::server {
namespace {

using test::Client;
using test::parse;
using test::text_of;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::size_t kWavHeader = 44;

// What is said

TEST(StreamHello, NamesTheDeviceTheFormatAndTheClock) {
  const StreamHello hello = parse_stream_hello(
      R"({"type":"hello","device":"Kitchen","format":"s16","rate":48000,"channels":2,"clock":1795363501.25})");
  EXPECT_EQ(hello.device, "Kitchen");
  EXPECT_EQ(hello.encoding, StreamFormat::s16);
  EXPECT_EQ(hello.format, (AudioFormat{48000, 2}));
  EXPECT_EQ(hello.clock, 1795363501.25);
  EXPECT_TRUE(hello.types.contains("SpeechEnded"));
  EXPECT_FALSE(hello.types.contains("AudioLevel"));
  EXPECT_EQ(to_text(parse_stream_hello(to_text(hello))), to_text(hello));
}

TEST(StreamHello, OneThatIsWrongIsRefusedWithWhatIsWrong) {
  const std::map<std::string, std::string> cases = {
      {"", "JSON object"},
      {"[]", "JSON object"},
      {R"({"type":"stop"})", "\"hello\""},
      {R"({"type":"hello","rate":16000})", "\"format\""},
      {R"({"type":"hello","format":"mp3","rate":16000})", "\"format\""},
      {R"({"type":"hello","format":"s16"})", "\"rate\" is missing"},
      {R"({"type":"hello","format":"s16","rate":0})", "\"rate\" has to be"},
      {R"({"type":"hello","format":"s16","rate":1e300})", "\"rate\" has to be"},
      {R"({"type":"hello","format":"s16","rate":16000,"channels":9})", "\"channels\" has to be"},
      {R"({"type":"hello","format":"s16","rate":16000,"clock":-1})", "\"clock\""},
      {R"({"type":"hello","format":"s16","rate":16000,"codec":"x"})", "\"codec\""},
      {R"({"type":"hello","format":"s16","rate":16000,"types":["Nothing"]})", "\"Nothing\""},
      {R"({"type":"hello","format":"s16","rate":16000,"types":[]})", "names no event"},
      {R"({"type":"hello","format":"s16","rate":16000,"after":"20261122_154501/7"})", "\"after\""},
      {R"({"type":"hello","resume":"token","rate":16000})", "\"rate\""},
      {R"({"type":"hello","format":"s16","rate":16000,"device":")" + std::string(201, 'x') + "\"}", "\"device\""}};
  for (const auto& [text, why] : cases) {
    try {
      parse_stream_hello(text);
      ADD_FAILURE() << text;
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_THAT(error.what(), HasSubstr(why)) << text;
    }
  }
}

TEST(StreamHello, OfOpusIsRefusedWithASentenceByABuildWithoutIt) {
  if (OpusDecoder::is_available()) GTEST_SKIP() << "this build has libopus";
  try {
    parse_stream_hello(R"({"type":"hello","format":"opus","rate":48000})");
    ADD_FAILURE();
  } catch (const RecorderError& error) {
    EXPECT_THAT(error.what(), HasSubstr("built without libopus"));
  }
}

TEST(StreamFrames, AreANumberAndWholeFrames) {
  const std::string message = stream_frame_number(0x0102030405060708) + "abcd";
  const StreamFrames frames = parse_stream_frames(message, 4);
  EXPECT_EQ(frames.first, 0x0102030405060708);
  EXPECT_EQ(frames.samples, "abcd");
  EXPECT_THROW(parse_stream_frames(message, 8), RecorderError);
  EXPECT_THROW(parse_stream_frames("1234567", 4), RecorderError);
  EXPECT_THROW(parse_stream_frames(std::string(8, '\xFF') + "abcd", 4), RecorderError);
  EXPECT_THROW(parse_stream_frames(stream_frame_number(7), 4), RecorderError);  // no frame is work without an end
}

TEST(StreamFrames, SamplesThatAreNoNumbersAreSilence) {
  const std::array<float, 3> samples = {0.5F, std::numeric_limits<float>::quiet_NaN(),
                                        std::numeric_limits<float>::infinity()};
  const std::string_view bytes(reinterpret_cast<const char*>(samples.data()), sizeof samples);
  EXPECT_THAT(decode_samples(StreamFormat::f32, bytes), ElementsAre(0.5F, 0.0F, 0.0F));
}

TEST(StreamMessage, IsReadAsItWasWritten) {
  const StreamWelcome welcome{"20261122_154501", "token", 7};
  EXPECT_EQ(std::get<StreamWelcome>(parse_stream_message(to_text(welcome))), welcome);
  EXPECT_EQ(std::get<StreamAcknowledged>(parse_stream_message(to_text(StreamAcknowledged{5}))).frames, 5);
  EXPECT_EQ(std::get<StreamEnded>(parse_stream_message(to_text(StreamEnded{"x", 9}))), (StreamEnded{"x", 9}));
  EXPECT_EQ(std::get<StreamEvent>(parse_stream_message(R"({"id":"a/1","event":"X"})")).id, "a/1");
  EXPECT_EQ(std::get<StreamProblem>(parse_stream_message(R"({"type":"urn:x","code":"c","detail":"d"})")),
            (StreamProblem{"c", "d"}));
  EXPECT_THROW(parse_stream_message(R"({"type":"new"})"), RecorderError);
  EXPECT_THROW(parse_stream_message(R"({"type":"acknowledged","frames":-1})"), RecorderError);
}

// Audio on its way

class Remote : public testing::Test {
 protected:
  /// All that can be read now; a gap is so many times -9.
  std::vector<float> read() {
    std::vector<float> all;
    std::array<float, 4> block{};
    for (;;) {
      const Reading reading = source->read(block);
      all.insert(all.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(reading.frames));
      if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
        EXPECT_EQ(gap->reason, GapReason::overflow);
        all.insert(all.end(), static_cast<std::size_t>(gap->frames), -9.0F);
      } else if (std::holds_alternative<SourceEnd>(reading.then)) {
        has_ended = true;
        return all;
      } else if (reading.frames == 0) {
        return all;
      }
    }
  }

  int woken = 0;
  std::shared_ptr<RemoteAudio> audio =
      std::make_shared<RemoteAudio>(AudioFormat{8000, 1}, "stream:test", [this] { ++woken; });
  std::unique_ptr<AudioSource> source = audio->make_source();
  bool has_ended = false;
};

TEST_F(Remote, FramesThatAreSentTwiceAreDropped) {
  audio->write(0, {1, 2, 3});
  audio->write(1, {2, 3, 4, 5});
  audio->write(0, {1, 2});
  audio->write(5, {6});
  EXPECT_THAT(read(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(audio->received(), 6);
}

TEST_F(Remote, FramesThatAreMissingAreAGapOfThatLengthInThatPlace) {
  audio->write(0, {1, 2});
  audio->write(5, {6, 7});
  audio->write(8, {});
  audio->write(9, {10});
  audio->finish();
  EXPECT_THAT(read(), ElementsAre(1, 2, -9, -9, -9, 6, 7, -9, -9, 10));
  EXPECT_TRUE(has_ended);
}

TEST_F(Remote, MoreThanADayIsNotMissing) {
  audio->write(0, {1});
  EXPECT_THROW(audio->write(Frame{25} * 3600 * 8000, {2}), RecorderError);
  audio->write(1, {2});
  EXPECT_THAT(read(), ElementsAre(1, 2));
}

TEST_F(Remote, MoreThanADayIsNotMissingInPiecesEither) {
  const Frame hours = Frame{10} * 3600 * 8000;
  audio->write(hours, {1});
  audio->write(2 * hours, {2});
  EXPECT_THROW(audio->write(3 * hours, {3}), RecorderError);
  EXPECT_EQ(audio->received(), 2 * hours + 1);
  audio->write(2 * hours + 1, {4});
  EXPECT_EQ(audio->received(), 2 * hours + 2);
}

TEST_F(Remote, TheWriterWaitsWhileASecondIsNotRead) {
  audio->write(0, std::vector<float>(7999));
  EXPECT_FALSE(audio->is_full());
  audio->write(7999, {1});
  EXPECT_TRUE(audio->is_full());
  std::array<float, 3000> block{};
  source->read(block);
  EXPECT_TRUE(audio->is_full());
  EXPECT_EQ(woken, 0);
  source->read(block);
  EXPECT_FALSE(audio->is_full());
  EXPECT_EQ(woken, 1);
}

TEST_F(Remote, AWriterThatIsFasterThanItsAudioIsReadAgainAtOnce) {
  const auto usual = source->quiet_pace();
  audio->write(0, std::vector<float>(8000));
  read();
  EXPECT_LE(source->quiet_pace(), std::chrono::milliseconds(1));
  EXPECT_LE(source->pace(), std::chrono::milliseconds(1));
  audio->write(8000, std::vector<float>(800));
  read();
  EXPECT_EQ(source->quiet_pace(), usual);
}

TEST_F(Remote, ARecorderThatHasEndedHoldsNobodyUp) {
  audio->write(0, std::vector<float>(9000));
  source->close();
  EXPECT_FALSE(audio->is_full());
  EXPECT_EQ(woken, 1);
  audio->write(9000, std::vector<float>(9000));
  EXPECT_FALSE(audio->is_full());
}

// What is safe

Event event_at(Frame frame, EventBody body) {
  Event event;
  event.frame = frame;
  event.body = std::move(body);
  return event;
}

constexpr RecordingStateChanged kIdle{.state = RecordingState::idle};

TEST(SafeFrames, AreBehindTheNewestByAMarginAndAllOfThemAtTheEnd) {
  SafeFrames safe(100);
  EXPECT_FALSE(safe.take(event_at(90, AudioLevel{})));
  EXPECT_EQ(safe.count(), 0);
  EXPECT_TRUE(safe.take(event_at(500, AudioLevel{})));
  EXPECT_EQ(safe.count(), 400);
  EXPECT_FALSE(safe.take(event_at(450, AudioLevel{})));
  EXPECT_FALSE(safe.take(event_at(600, AudioGap{500, 50, GapReason::overflow})));
  EXPECT_TRUE(safe.take(event_at(600, kIdle)));
  EXPECT_EQ(safe.count(), 600);
}

TEST(SafeFrames, EndBeforeWhatAFullDiskHasLost) {
  SafeFrames safe(100);
  safe.take(event_at(500, AudioLevel{}));
  safe.take(event_at(1000, AudioGap{700, 200, GapReason::disk}));
  safe.take(event_at(1000, AudioGap{950, 20, GapReason::disk}));
  EXPECT_TRUE(safe.take(event_at(1000, kIdle)));
  EXPECT_EQ(safe.count(), 700);
  EXPECT_FALSE(safe.take(event_at(2000, AudioLevel{})));
  EXPECT_EQ(safe.count(), 700);
}

TEST(SafeFrames, AreNoMoreWhereTheRecordingFails) {
  SafeFrames safe(100);
  EXPECT_FALSE(safe.take(event_at(1000, RecordingStateChanged{.state = RecordingState::failed})));
  EXPECT_EQ(safe.count(), 0);
}

// Over the network

class Streaming : public testing::Test {
 protected:
  static RecorderConfig config(const std::filesystem::path& root) {
    RecorderConfig config;
    config.vad.detector = "energy";
    config.transcription.transcriber = "none";
    config.session.root = root;
    config.session.durability = "crash";
    return config;
  }

  void start(ServerSettings settings = {}) {
    server.emplace(config(folder / "remote"), std::move(settings));
    url = server->url();
  }

  /// A connection on which a stream has begun, or goes on.
  struct Stream {
    Client client;
    StreamWelcome welcome;
  };
  Stream open(const std::string& hello = R"({"type":"hello","device":"Kitchen","format":"s16","rate":16000})") const {
    Client client(url);
    EXPECT_EQ(client.upgrade("/api/v1/stream").status, 101);
    client.send_text(hello);
    const std::string first = client.message().value();
    const StreamMessage welcome = parse_stream_message(first);
    if (!std::holds_alternative<StreamWelcome>(welcome)) throw std::runtime_error(first);
    return {std::move(client), std::get<StreamWelcome>(welcome)};
  }
  Stream resume(const std::string& token) const { return open(R"({"type":"hello","resume":")" + token + "\"}"); }

  /// Sends 16-bit samples, so many at once.
  static void send(Client& client, std::string_view pcm, Frame first, std::size_t frames) {
    for (std::size_t at = 0; at < pcm.size(); at += 2 * frames) {
      client.send_frame(Client::Opcode::binary,
                        stream_frame_number(first + static_cast<Frame>(at / 2)).append(pcm.substr(at, 2 * frames)));
    }
  }

  /// Ends a stream, and waits until the server has ended it.
  static std::vector<std::string> finish(Client& client, Client::Frame* closed = nullptr) {
    client.send_text(kStreamStop);
    std::vector<std::string> all;
    while (auto message = client.message(closed)) all.push_back(std::move(*message));
    return all;
  }

  /// Reads until so many frames are acknowledged; each time it has to be more.
  static Frame wait_for_acknowledged(Client& client, Frame frames) {
    Frame acknowledged = 0;
    while (acknowledged < frames) {
      const StreamMessage message = parse_stream_message(client.message().value());
      if (const auto* more = std::get_if<StreamAcknowledged>(&message)) {
        EXPECT_GT(more->frames, acknowledged);
        acknowledged = more->frames;
      }
    }
    return acknowledged;
  }

  /// The problem that a client gets, after which the server closes.
  std::string problem_after(const auto& act, std::uint16_t code = 1008) const {
    Client client(url);
    EXPECT_EQ(client.upgrade("/api/v1/stream").status, 101);
    act(client);
    std::string last;
    Client::Frame closed;
    while (auto message = client.message(&closed)) last = std::move(*message);
    EXPECT_EQ(closed.close_code(), code);
    const StreamMessage problem = parse_stream_message(last);
    EXPECT_TRUE(std::holds_alternative<StreamProblem>(problem)) << last;
    return std::holds_alternative<StreamProblem>(problem) ? std::get<StreamProblem>(problem).code : "";
  }

  /// The sound files of a session, and where its segments are.
  static std::map<std::string, std::string> sound_of(const std::filesystem::path& session) {
    std::map<std::string, std::string> sound;
    for (const auto& [name, content] : test::files_in(session)) {
      if (name.ends_with(".wav")) sound[name] = content;
    }
    const SessionTranscript transcript = open_session(session);
    sound["end"] = std::to_string(transcript.end_frame);
    for (const TranscriptSegment& segment : transcript.segments) {
      sound["frames"] += std::to_string(segment.start_frame) + "-" + std::to_string(segment.end_frame) + " ";
    }
    return sound;
  }

  /// What recording the same file gives.
  const std::map<std::string, std::string>& recorded() const {
    static const std::map<std::string, std::string> sound = [] {
      const test::TemporaryDirectory root;
      RecorderConfig local = config(root.path());
      local.capture.input = test::project_file("samples/voice_note.wav");
      local.capture.pace = "fast";
      RecorderBackend backend(local, [](const Event&) {});
      backend.start_recording();
      while (backend.is_recording()) std::this_thread::yield();
      backend.stop_recording();
      return sound_of(backend.get_session_path());
    }();
    return sound;
  }

  const std::string pcm = test::contents(test::project_file("samples/voice_note.wav")).substr(kWavHeader);
  test::TemporaryDirectory folder;
  std::optional<Server> server;
  std::string url;
};

TEST_F(Streaming, SeveralAtOnceAreSessionsEqualToTheRecordingOfTheFile) {
  start();
  std::vector<Stream> streams;
  for (int i = 0; i < 4; ++i) streams.push_back(open());
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    clients.emplace_back([&, i] {
      send(streams[i].client, pcm, 0, 100 + 1000 * i * i);
      Client::Frame closed;
      const auto messages = finish(streams[i].client, &closed);
      const auto ended = std::get<StreamEnded>(parse_stream_message(messages.back()));
      EXPECT_EQ(ended, (StreamEnded{streams[i].welcome.session, static_cast<Frame>(pcm.size() / 2)}));
      EXPECT_THAT(messages, testing::Contains(HasSubstr("\"idle\"")));
      EXPECT_EQ(closed.close_code(), 1000);
      EXPECT_EQ(closed.close_reason(), streams[i].welcome.session);
    });
  }
  for (std::thread& client : clients) client.join();
  for (const Stream& stream : streams) {
    const auto session = folder / "remote" / stream.welcome.session;
    EXPECT_EQ(sound_of(session), recorded());
    EXPECT_EQ(open_session(session).source, "stream:Kitchen");
  }
}

TEST_F(Streaming, OneThatBreaksAgainAndAgainGoesOnAndIsTheSame) {
  start();
  std::mt19937 dice(1);
  std::optional<Stream> stream = open();
  const std::string token = stream->welcome.token;
  const auto frames = static_cast<Frame>(pcm.size() / 2);
  std::vector<std::string> events;
  std::string last;
  const auto take = [&](const std::string& message) {
    const StreamMessage parsed = parse_stream_message(message);
    const auto* const event = std::get_if<StreamEvent>(&parsed);
    if (event == nullptr) return;
    events.push_back(event->id);
    last = event->id;
  };
  for (Frame next = 0; next < frames;) {
    // Sometimes what the server has is sent again, as after a connection that broke before it said so.
    const Frame first = std::max<Frame>(0, next - static_cast<Frame>(dice() % 3000));
    const Frame count = std::min<Frame>(frames - first, 8000 + static_cast<Frame>(dice() % 40000));
    const auto at = static_cast<std::size_t>(first);
    send(stream->client, std::string_view(pcm).substr(2 * at, 2 * static_cast<std::size_t>(count)), first,
         1 + dice() % 4000);
    if (dice() % 2 == 0) stream->client.send(std::string("\x82\xFE\x10\x00\x01", 5));  // and half of a frame
    stream.reset();
    const std::string after = last.empty() ? "" : R"(,"after":")" + last + '"';
    stream = open(R"({"type":"hello","resume":")" + token + '"' + after + "}");
    next = stream->welcome.received;
    ASSERT_LE(next, first + count);
    if (dice() % 2 == 0) take(stream->client.message().value());
  }
  for (const std::string& message : finish(stream->client)) take(message);
  const std::string session = stream->welcome.session;
  EXPECT_EQ(sound_of(folder / "remote" / session), recorded());
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i], session + "/" + std::to_string(i));
}

TEST_F(Streaming, WhatWasNotSentIsAGapOfTheSession) {
  start();
  Stream stream = open();
  send(stream.client, std::string_view(pcm).substr(0, 2 * 16000), 0, 1000);
  send(stream.client, std::string_view(pcm).substr(2 * 16000, 2 * 16000), 80000, 1000);
  const auto messages = finish(stream.client);
  EXPECT_THAT(messages, testing::Contains(testing::AllOf(HasSubstr("\"AudioGap\""), HasSubstr("\"frames\":64000"),
                                                         HasSubstr("\"start_frame\":16000"))));
  EXPECT_EQ(open_session(folder / "remote" / stream.welcome.session).end_frame, 96000);
}

TEST_F(Streaming, FramesAreAcknowledgedBeforeTheEnd) {
  start();
  Stream stream = open();
  send(stream.client, pcm, 0, 1600);
  EXPECT_LE(wait_for_acknowledged(stream.client, 160000), static_cast<Frame>(pcm.size() / 2));
}

TEST_F(Streaming, OneThatNobodyGoesOnWithEndsCleanly) {
  ServerSettings settings;
  settings.limits.resume = 50ms;
  start(std::move(settings));
  std::optional<Stream> stream = open();
  send(stream->client, pcm, 0, 16000);
  wait_for_acknowledged(stream->client, 80000);
  const StreamWelcome welcome = stream->welcome;
  stream.reset();
  const auto session = folder / "remote" / welcome.session;
  while (!open_session(session).stopped_at) std::this_thread::yield();
  // It is kept for as long again, for a client that asks how it ended.
  for (bool is_forgotten = false; !is_forgotten;) {
    Client client(url);
    client.upgrade("/api/v1/stream");
    client.send_text(R"({"type":"hello","resume":")" + welcome.token + "\"}");
    std::string last;
    while (auto message = client.message()) last = std::move(*message);
    const StreamMessage how = parse_stream_message(last);
    const auto* const problem = std::get_if<StreamProblem>(&how);
    is_forgotten = problem != nullptr;
    if (is_forgotten) EXPECT_EQ(problem->code, "stream_unknown");
    if (!is_forgotten) EXPECT_GE(std::get<StreamEnded>(how).frames, 80000);
  }
  EXPECT_FALSE(open_session(session).segments.empty());
}

TEST_F(Streaming, TheNewestConnectionOfAStreamReplacesTheOneBefore) {
  start();
  Stream first = open();
  Stream second = resume(first.welcome.token);
  while (first.client.message()) {
  }
  EXPECT_EQ(second.welcome.session, first.welcome.session);
  send(second.client, pcm, 0, 16000);
  finish(second.client);
  EXPECT_EQ(sound_of(folder / "remote" / second.welcome.session), recorded());
}

TEST_F(Streaming, TheEndOfTheServerEndsTheSessionAndThenTheStream) {
  start();
  Stream stream = open();
  send(stream.client, pcm.substr(0, 320000), 0, 1600);
  wait_for_acknowledged(stream.client, 1);
  std::thread stopping([&] { server->stop(); });
  Client::Frame closed;
  std::string last;
  while (auto message = stream.client.message(&closed)) last = std::move(*message);
  stopping.join();
  EXPECT_EQ(closed.close_code(), 1001);
  const SessionTranscript session = open_session(folder / "remote" / stream.welcome.session);
  EXPECT_TRUE(session.stopped_at);
  EXPECT_EQ(std::get<StreamAcknowledged>(parse_stream_message(last)).frames, session.end_frame);
}

TEST_F(Streaming, AClientThatIsWrongIsRefusedAndOthersAreServed) {
  ServerSettings settings;
  settings.limits.message_bytes = 100'000;
  start(std::move(settings));
  const std::string hello = R"({"type":"hello","format":"s16","rate":16000})";
  using Opcode = Client::Opcode;
  EXPECT_EQ(problem_after([](Client& c) { c.send_frame(Opcode::binary, "0123456789"); }), "invalid_argument");
  EXPECT_EQ(problem_after([](Client& c) { c.send_text(kStreamStop); }), "invalid_argument");
  EXPECT_EQ(problem_after([](Client& c) { c.send_text(R"({"type":"hello","resume":"guessed"})"); }), "stream_unknown");
  EXPECT_EQ(problem_after([&](Client& c) {
              c.send_text(hello);
              c.send_frame(Opcode::binary, "odd");
            }),
            "invalid_argument");
  EXPECT_EQ(problem_after([&](Client& c) {
              c.send_text(hello);
              c.send_text(hello);
            }),
            "invalid_argument");
  EXPECT_EQ(problem_after([&](Client& c) {
              c.send_text(hello);
              c.send_frame(Opcode::binary, stream_frame_number(Frame{1} << 60) + "ab");
            }),
            "invalid_argument");
  const auto code_after = [&](const auto& act) {
    Client client(url);
    EXPECT_EQ(client.upgrade("/api/v1/stream").status, 101);
    act(client);
    Client::Frame closed;
    while (client.message(&closed)) {
    }
    return closed.close_code();
  };
  EXPECT_EQ(code_after([](Client& c) { c.send_text("\xC3\x28"); }), 1007);
  EXPECT_EQ(code_after([&](Client& c) { c.send_frame(Opcode::text, hello, true, false); }), 1002);
  EXPECT_EQ(code_after([](Client& c) { c.send(std::string("\x82\xFF\0\0\0\x02\x54\x0B\xE4\0\0\0\0\0", 14)); }), 1009);
  Stream stream = open();
  EXPECT_THAT(finish(stream.client), testing::Not(testing::IsEmpty()));
  const auto refused = test::get(url, "/api/v1/stream");
  EXPECT_EQ(refused.status, 426);
  EXPECT_EQ(Client(url).upgrade("/api/v1/stream", "Origin: https://evil.example\r\n").status, 403);
}

TEST_F(Streaming, AClientWithoutAHelloIsCutOff) {
  ServerSettings settings;
  settings.limits.request = 300ms;
  start(std::move(settings));
  Client client(url);
  ASSERT_EQ(client.upgrade("/api/v1/stream").status, 101);
  EXPECT_FALSE(client.frame());
}

TEST_F(Streaming, MoreThanAllowedAreRefused) {
  ServerSettings settings;
  settings.limits.streams = 1;
  start(std::move(settings));
  Stream first = open();
  const auto again = [](Client& c) { c.send_text(R"({"type":"hello","format":"f32","rate":8000})"); };
  EXPECT_EQ(problem_after(again, 1011), "too_many_streams");
  finish(first.client);
  EXPECT_NO_THROW(open());
}

// Sending

TEST(AudioSpool, ReadsWhatWasWrittenAndPassesOverWhatIsMissing) {
  const test::TemporaryDirectory folder;
  int changes = 0;
  AudioSpool spool(folder / "unsent.wav", {8000, 2}, [&] { ++changes; });
  const std::array<float, 6> frames = {1, 2, 3, 4, 5, 6};
  spool.append(frames);
  spool.skip(2);
  spool.skip(1);
  spool.append(std::span(frames).first(2));
  EXPECT_EQ(changes, 4);
  EXPECT_EQ(spool.end(), 7);
  const auto first = spool.read(1, 100);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->first, 1);
  EXPECT_EQ(decode_samples(StreamFormat::f32, first->bytes), (std::vector<float>{3, 4, 5, 6}));
  for (const Frame from : {3, 4, 6}) {
    const auto second = spool.read(from, 100);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->first, 6);
    EXPECT_EQ(decode_samples(StreamFormat::f32, second->bytes), (std::vector<float>{1, 2}));
  }
  EXPECT_FALSE(spool.read(7, 100));
  EXPECT_EQ(spool.read(0, 2)->bytes.size(), 2 * 2 * sizeof(float));
}

TEST(AudioSpool, LeavesTheReserveOfTheDiskFree) {
  const test::TemporaryDirectory folder;
  AudioSpool spool(folder / "unsent.wav", {8000, 1}, [] {}, std::uint64_t{1} << 60);
  const std::array<float, 3> frames = {1, 2, 3};
  try {
    spool.append(frames);
    ADD_FAILURE();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::disk_full);
  }
  EXPECT_EQ(spool.end(), 3);  // they are missing
  EXPECT_FALSE(spool.read(0, 3));
}

TEST(AudioSpool, EndsBehindTheLastFrameThatIsThere) {
  const test::TemporaryDirectory folder;
  int changes = 0;
  AudioSpool spool(folder / "unsent.wav", {8000, 1}, [&] { ++changes; });
  spool.skip(5);
  spool.append(std::vector<float>(10));
  spool.skip(2);
  spool.skip(1);
  spool.finish();
  EXPECT_EQ(changes, 5);
  EXPECT_TRUE(spool.is_finished());
  EXPECT_EQ(spool.end(), 15);
  EXPECT_EQ(spool.read(0, 100)->first, 5);
  EXPECT_FALSE(spool.read(15, 100));
}

TEST(AudioSpool, IsASoundFileThatGoesOnceEverythingIsReleased) {
  const test::TemporaryDirectory folder;
  {
    AudioSpool spool(folder / "unsent.wav", {8000, 1}, [] {});
    spool.append(std::vector<float>(1000000, 0.25F));
    spool.release(600000);
    EXPECT_EQ(decode_samples(StreamFormat::f32, spool.read(600000, 1)->bytes).front(), 0.25F);
  }
  EXPECT_EQ(sound_file_info(folder / "unsent.wav").format, (AudioFormat{8000, 1}));
  std::filesystem::remove(folder / "unsent.wav");
  {
    AudioSpool spool(folder / "unsent.wav", {8000, 1}, [] {});
    spool.append(std::vector<float>(10));
    spool.release(10);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "unsent.wav"));
}

/// Carries bytes between clients and a server, and breaks each connection after so many of the client's.
class Relay {
 public:
  Relay(const std::string& url, std::size_t bytes) : to_(port_of(url)), bytes_(bytes) {
    listener_ = UniqueFD(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this] { run(); });
  }
  ~Relay() { ::shutdown(listener_.get(), SHUT_RDWR); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::string& url() const { return url_; }
  int connections() const { return connections_; }

  static int port_of(const std::string& url) { return std::stoi(url.substr(url.rfind(':') + 1)); }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void run() {
    for (;;) {
      const UniqueFD client(::accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      ++connections_;
      const UniqueFD server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in address = loopback(to_);
      if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
      std::array<pollfd, 2> ends = {{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}}};
      std::vector<char> block(10000);
      for (std::size_t carried = 0; carried < bytes_ && ::poll(ends.data(), 2, -1) > 0;) {
        const bool is_client = ends[0].revents != 0;
        const ssize_t got = ::recv(ends[is_client ? 0 : 1].fd, block.data(), block.size(), 0);
        if (got <= 0) break;
        const auto size = static_cast<std::size_t>(got);
        if (::send(ends[is_client ? 1 : 0].fd, block.data(), size, MSG_NOSIGNAL) != got) break;
        if (is_client) carried += size;
      }
    }
  }

  const int to_;
  const std::size_t bytes_;
  UniqueFD listener_;
  std::string url_;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

/// Gives what each step returns; nothing behind the last. `on_close` is called by the first close.
class SteppedSource final : public AudioSource {
 public:
  using Step = std::function<Reading()>;
  SteppedSource(std::vector<Step> steps, std::function<void()> on_close)
      : steps_(std::move(steps)), on_close_(std::move(on_close)) {}

  AudioFormat open() override { return {8000, 1}; }
  Reading read(std::span<float> interleaved) override {
    std::ranges::fill(interleaved, 0.25F);
    return next_ < steps_.size() ? steps_[next_++]() : Reading{};
  }
  void close() noexcept override {
    if (const auto on_close = std::exchange(on_close_, nullptr)) on_close();
  }
  std::chrono::milliseconds pace() const override { return 1ms; }
  std::string description() const override { return "steps"; }

 private:
  const std::vector<Step> steps_;
  std::function<void()> on_close_;
  std::size_t next_ = 0;
};

class Sending : public Streaming {
 protected:
  static RecorderConfig stepped(const std::vector<SteppedSource::Step>& steps,
                                const std::function<void()>& on_close = {}) {
    RecorderConfig local;
    local.source = [steps, on_close] { return std::make_unique<SteppedSource>(steps, on_close); };
    return local;
  }
  std::filesystem::path spool() const { return std::filesystem::directory_iterator(folder / "spool")->path(); }

  StreamSent send_file(const std::string& to, const std::function<void()>& meanwhile = [] {}) {
    RecorderConfig local;
    local.capture.input = test::project_file("samples/voice_note.wav");
    local.capture.pace = "fast";
    StreamSender sender(local, {.url = to, .token = {}, .spool_folder = folder / "spool"},
                        {.on_event = [this](const Event& event) { events.push_back(event.sequence.value()); },
                         .on_notice = [this](const std::string& notice) { notices.push_back(notice); },
                         .on_end = {}});
    meanwhile();
    return sender.result();
  }

  const Frame frames = static_cast<Frame>(pcm.size() / 2);
  std::vector<std::uint64_t> events;
  std::vector<std::string> notices;
};

TEST_F(Sending, TheSessionOfTheServerEqualsTheRecordingOfTheFile) {
  start();
  const StreamSent sent = send_file(url);
  EXPECT_EQ(sent.error, "");
  EXPECT_EQ(sent.captured, frames);
  EXPECT_EQ(sent.unsent, 0);
  ASSERT_EQ(sent.sessions.size(), 1U);
  EXPECT_EQ(sound_of(folder / "remote" / sent.sessions.front()), recorded());
  EXPECT_EQ(open_session(folder / "remote" / sent.sessions.front()).source.substr(0, 21), "stream:voice_note.wav");
  EXPECT_TRUE(std::filesystem::is_empty(folder / "spool"));
  EXPECT_THAT(notices, testing::IsEmpty());
}

TEST_F(Sending, AConnectionThatBreaksAgainAndAgainLosesNothingAndRepeatsNothing) {
  start();
  const Relay relay(url, 500'000);
  const StreamSent sent = send_file(relay.url());
  EXPECT_GT(relay.connections(), 2);
  EXPECT_EQ(sent.error, "");
  EXPECT_EQ(sent.unsent, 0);
  ASSERT_EQ(sent.sessions.size(), 1U);
  EXPECT_EQ(sound_of(folder / "remote" / sent.sessions.front()), recorded());
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i], i);
}

TEST_F(Sending, WhileTheServerIsAwayTheAudioWaitsAndFollowsLater) {
  start();
  ServerSettings again;
  again.port = static_cast<std::uint16_t>(Relay::port_of(url));
  server.reset();
  const StreamSent sent = send_file(url, [&] {
    while (std::filesystem::is_empty(folder / "spool")) std::this_thread::yield();
    start(again);
  });
  EXPECT_EQ(sent.unsent, 0);
  ASSERT_EQ(sent.sessions.size(), 1U);
  EXPECT_EQ(sound_of(folder / "remote" / sent.sessions.front()), recorded());
}

TEST_F(Sending, AServerThatIsStartedAnewMissesNothing) {
  start();
  ServerSettings again;
  again.port = static_cast<std::uint16_t>(Relay::port_of(url));
  const StreamSent sent = send_file(url, [&] {
    while (list_sessions(folder / "remote").empty()) std::this_thread::yield();
    server.reset();
    start(again);
  });
  EXPECT_EQ(sent.error, "");
  EXPECT_EQ(sent.unsent, 0);
  Frame total = 0;
  for (const std::string& session : sent.sessions) total += open_session(folder / "remote" / session).end_frame;
  EXPECT_GE(total, frames);  // as many, unless the end of the first one came too late for its client
}

TEST_F(Sending, WhatCannotBeSentStaysInAFile) {
  const StreamSent sent = [&] {
    RecorderConfig local;
    local.capture.input = test::project_file("samples/voice_note.wav");
    local.capture.pace = "fast";
    StreamSender sender(local, {.url = "ws://127.0.0.1:1", .token = {}, .spool_folder = folder / "spool"}, {});
    const auto bytes = [&] {
      std::uintmax_t size = 0;
      for (const auto& entry : std::filesystem::directory_iterator(folder / "spool")) size = entry.file_size();
      return size;
    };
    while (bytes() < 100'000) std::this_thread::yield();
    sender.cancel();
    return sender.result();
  }();
  EXPECT_EQ(sent.unsent, sent.captured);
  EXPECT_EQ(sound_file_info(sent.file).format, (AudioFormat{16000, 1}));
}

TEST_F(Sending, FramesThatAreMissingAtTheEndDoNotKeepItFromEnding) {
  start();
  StreamSender sender(
      stepped({[] { return Reading{800, SourceGap{100, GapReason::overflow}}; }, [] { return Reading{800, {}}; },
               [] { return Reading{0, SourceGap{4000, GapReason::device_lost}}; },
               [] { return Reading{0, SourceEnd{}}; }}),
      {.url = url, .token = {}, .spool_folder = folder / "spool"}, {});
  const StreamSent sent = sender.result();
  EXPECT_EQ(sent.error, "");
  EXPECT_EQ(sent.captured, 1700);
  EXPECT_EQ(sent.unsent, 0);
}

TEST_F(Sending, AFullDiskLosesItsAudioAndNothingThatFollowsIt) {
  std::optional<test::FileSizeLimit> limit;
  std::promise<void> closed;
  StreamSender sender(
      stepped({[] { return Reading{100, {}}; },
               [&] {
                 limit.emplace(1000);
                 return Reading{800, SourceGap{500, GapReason::overflow}};
               },
               [&] {
                 limit.reset();
                 return Reading{100, {}};
               },
               [&] {
                 limit.emplace(1000);
                 return Reading{800, SourceEnd{}};
               }},
              [&] { closed.set_value(); }),
      {.url = "ws://127.0.0.1:1", .token = {}, .spool_folder = folder / "spool"},
      {.on_event = {}, .on_notice = [this](const std::string& notice) { notices.push_back(notice); }, .on_end = {}});
  ASSERT_EQ(closed.get_future().wait_for(20s), std::future_status::ready);
  limit.reset();
  sender.cancel();
  const StreamSent sent = sender.result();
  EXPECT_EQ(sent.captured, 100 + 800 + 500 + 100);
  EXPECT_EQ(std::ranges::count_if(notices, [](const auto& each) { return each.starts_with("No room is left"); }), 2);
}

TEST_F(Sending, AFileThatCannotBeReadAnyMoreEndsItWithTheReason) {
  start();
  ServerSettings again;
  again.port = static_cast<std::uint16_t>(Relay::port_of(url));
  server.reset();
  std::promise<void> waits;
  std::promise<void> ended;
  StreamSender sender(stepped({[] { return Reading{800, {}}; },
                               [&] {
                                 waits.set_value();
                                 return Reading{};
                               }}),
                      {.url = url, .token = {}, .spool_folder = folder / "spool"},
                      {.on_event = {}, .on_notice = {}, .on_end = [&] { ended.set_value(); }});
  waits.get_future().wait();
  std::filesystem::resize_file(spool(), 100);
  start(again);
  ASSERT_EQ(ended.get_future().wait_for(20s), std::future_status::ready);
  const StreamSent sent = sender.result();
  EXPECT_THAT(sent.error, testing::AllOf(HasSubstr(sent.file.string()), HasSubstr("shorter")));
  EXPECT_EQ(sent.unsent, 800);
}

TEST_F(Sending, AServerThatRefusesIsNotAskedAgain) {
  make_token(folder / "tokens", Scopes::all());
  ServerSettings settings;
  settings.tokens.add_file(folder / "tokens");
  start(std::move(settings));
  EXPECT_THAT(send_file(url).error, testing::AllOf(HasSubstr("401"), HasSubstr("needs a token")));
}

TEST(StreamAddress, IsTakenApart) {
  const auto address = parse_websocket_url("ws://[::1]:8080/api");
  EXPECT_EQ(address.host, "::1");
  EXPECT_EQ(address.port, "8080");
  EXPECT_EQ(address.target, "/api");
  EXPECT_EQ(parse_websocket_url("http://example.org").port, "80");
  EXPECT_FALSE(address.is_encrypted);
  EXPECT_EQ(parse_websocket_url("wss://example.org").port, "443");
  EXPECT_TRUE(parse_websocket_url("https://example.org").is_encrypted);
  for (const char* wrong : {"", "example.org", "ws://", "ws://:80", "ws://host:0", "ws://host:70000", "ws://[::1",
                            "ws://host:80x", "ws://a b", "ws://user@host", "ftp://host"}) {
    EXPECT_THROW(parse_websocket_url(wrong), RecorderError) << wrong;
  }
}

TEST_F(Streaming, NeedsATokenThatMayTranscribe) {
  const std::string transcribe = make_token(folder / "tokens", Scopes().with(Scope::transcribe));
  const std::string control = make_token(folder / "tokens", Scopes().with(Scope::control));
  ServerSettings settings;
  settings.tokens.add_file(folder / "tokens");
  start(std::move(settings));
  const auto upgrade = [&](const std::string& token) {
    return Client(url).upgrade("/api/v1/stream", "Authorization: Bearer " + token + "\r\n").status;
  };
  EXPECT_EQ(upgrade(transcribe), 101);
  EXPECT_EQ(upgrade(control), 403);
  EXPECT_EQ(upgrade("guessed"), 401);
}

}  // namespace
}  // namespace dictum::server
