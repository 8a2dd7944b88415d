// What the decoder's process may do, and what a file that has taken it over can do to the recorder. The decoders here
// are scripts that answer as the test says; hostile files are for the real one.

#include "audio/decoder_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>

#include "base/sanitized.hpp"
#include "dictum/error.hpp"
#include "processes.hpp"
#include "sandbox.hpp"
#include "sound_in_both_ways.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::audio {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using transcription::processes_with;
using transcription::soon;
namespace fs = std::filesystem;

class StandInDecoder : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("python3 -c pass 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3";
  }

  /// A decoder that does this. `send(kind, bytes)` sends a message; the kinds are those of the protocol.
  DecoderProgram decoder(const std::string& script) const {
    const fs::path file = folder / "decoder";
    std::ofstream(file) << R"(#!/usr/bin/env -S python3 -S
import os, struct, sys
PROGRESS, FORMAT, AUDIO, NOTICE, REFUSAL, END = range(1, 7)
def send(kind, data=b""):
    os.write(1, struct.pack("=II", kind, len(data)) + data)
def send_format(rate=16000, channels=1, frames=-1):
    send(FORMAT, struct.pack("=iiq", rate, channels, frames))
)" << script;
    fs::permissions(file, fs::perms::owner_all);
    return {.decoder = file, .guard = transcription::programs() / "dictum-guard"};
  }

  /// What it gives, or the refusal.
  test::ReadSound sound_of(const std::string& script, std::chrono::milliseconds deadline = 30s) const {
    test::ReadSound sound;
    try {
      DecoderProcess process(decoder(script), UniqueFD(::open("/dev/null", O_RDONLY | O_CLOEXEC)), {}, "the sound",
                             deadline);
      sound.format = process.format();
      std::vector<float> block(1000 * static_cast<std::size_t>(sound.format.channels));
      for (bool is_over = false; !is_over && sound.samples.size() < 1'000'000;) {
        const auto step = process.read(block);
        const auto count = static_cast<std::ptrdiff_t>(step.frames) * sound.format.channels;
        sound.samples.insert(sound.samples.end(), block.begin(), block.begin() + count);
        is_over = step.state == SampleReader::State::over;
        if (step.state == SampleReader::State::waiting) process.wait(5s);
      }
      sound.notices = process.take_notices();
    } catch (const RecorderError& error) {
      sound.refusal = error.what();
    }
    return sound;
  }

  const TemporaryDirectory folder;
};

TEST_F(StandInDecoder, GivesItsSamplesAndItsNotices) {
  const auto sound = sound_of(R"(
send_format()
send(AUDIO, struct.pack("=3f", 0.25, -0.5, 1))
send(NOTICE, b"was cut off: 1 s is missing.")
send(END)
)");
  EXPECT_EQ(sound.samples, (std::vector{0.25F, -0.5F, 1.0F}));
  EXPECT_THAT(sound.notices, testing::ElementsAre("the sound was cut off: 1 s is missing."));
}

TEST_F(StandInDecoder, ThatNeverAnswersIsWaitedForAsLongAsTheDeadlineSays) {
  EXPECT_THAT(sound_of("import time; time.sleep(60)", 200ms).refusal, HasSubstr("gave no audio within 200 ms"));
}

TEST_F(StandInDecoder, ThatDiesIsToldAndWhatItGaveIsKept) {
  const auto sound = sound_of(R"(
send_format()
send(AUDIO, bytes(4000))
os.kill(os.getpid(), 11)
)");
  EXPECT_THAT(sound.samples, SizeIs(1000));
  EXPECT_THAT(sound.all_notices(), HasSubstr("could be decoded in part only"));
}

TEST_F(StandInDecoder, ThatBreaksTheProtocolIsStopped) {
  for (const char* script : {"send(77, b'x')", "send(AUDIO, bytes(40))", "os.write(1, b'\\xff' * 100)",
                             "send_format(rate=-1)", "send_format(channels=0)", "send_format(channels=100000)",
                             "send_format(rate=2**31 - 1)", "send(FORMAT, b'x')", "send(END)"}) {
    EXPECT_NE(sound_of(script).refusal, "") << script;
  }
  for (const char* script : {"send(77, b'x')", "send_format(8000)", "send(AUDIO, b'x')", "send(REFUSAL, b'no')"}) {
    EXPECT_THAT(sound_of(fmt::format("send_format()\n{}\n", script)).all_notices(), HasSubstr("in part only"))
        << script;
  }
}

TEST_F(StandInDecoder, ThatSendsWordsForEverIsStopped) {
  for (const char* message : {"send(PROGRESS)", "send(NOTICE, b'x')", "send(AUDIO)"}) {
    const auto sound = sound_of(fmt::format("send_format()\nwhile True: {}\n", message));
    EXPECT_THAT(sound.all_notices(), HasSubstr("broke its protocol")) << message;
    EXPECT_LT(sound.notices.size(), 200U) << message;
  }
}

TEST_F(StandInDecoder, SendsNothingRawToATerminal) {
  const auto sound = sound_of(R"(send(REFUSAL, b"\x1b[2J\x07\xe2\x80\xae\xff" + b"x" * 100000))");
  EXPECT_THAT(sound.refusal, Not(HasSubstr("\x1b")));
  EXPECT_THAT(sound.refusal, Not(HasSubstr("\x07")));
  EXPECT_LT(sound.refusal.size(), 600U);
}

TEST_F(StandInDecoder, HasNoKeysInItsEnvironment) {
  ::setenv("DICTUM_TEST_KEY", "secret", 1);
  const auto sound = sound_of("send(REFUSAL, ' '.join(sorted(os.environ)).encode())");
  ::unsetenv("DICTUM_TEST_KEY");
  EXPECT_THAT(sound.refusal, Not(HasSubstr("DICTUM")));
  EXPECT_THAT(sound.refusal, Not(HasSubstr("HOME")));
}

TEST_F(StandInDecoder, HasNoDescriptorsOfTheRecorder) {
  const UniqueFD open_file(::open("/dev/null", O_RDONLY));  // as a host program may leave one
  const auto sound = sound_of("send(REFUSAL, ' '.join(sorted(os.listdir('/proc/self/fd'))).encode())");
  EXPECT_THAT(sound.refusal, HasSubstr("the sound 0 1 2 3")) << "3 is that of the listing";
  EXPECT_THAT(sound.refusal, Not(HasSubstr(" 4")));
}

TEST_F(StandInDecoder, HasAMemoryCap) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes more";
  const auto sound = sound_of(R"(
def fits(mebibytes):
    try:
        return len(bytearray(mebibytes << 20)) > 0
    except MemoryError:
        return False
send(REFUSAL, ("fits: %s %s" % (fits(100), fits(600))).encode())
)");
  EXPECT_THAT(sound.refusal, HasSubstr("fits: True False"));
}

TEST_F(StandInDecoder, DiesWithTheRecorder) {
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const auto program = decoder("send_format()\nimport time; time.sleep(600)\n");
  const pid_t recorder = ::fork();
  if (recorder == 0) {
    ::setenv("TMPDIR", folder.path().c_str(), 1);  // what the decoder's processes are known by
    const DecoderProcess process(program, UniqueFD(::open("/dev/null", O_RDONLY | O_CLOEXEC)), {}, "the sound", 30s);
    static_cast<void>(!::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  EXPECT_FALSE(processes_with(folder.path().string()).empty());
  ::kill(recorder, SIGKILL);
  ::waitpid(recorder, nullptr, 0);
  EXPECT_TRUE(soon([&] { return processes_with(folder.path().string()).empty(); }, 5s));
}

// Whether a call is refused as one that the sandbox does not allow.
bool is_refused(auto call) {
  errno = 0;
  return call() < 0 && errno == EPERM;
}

TEST(DecoderSandbox, AllowsNoFileNoConnectionNoProgramAndNoProcess) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need what it takes away";
  int out[2];
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dictum::decoder::enter_sandbox();
    char* const arguments[] = {nullptr};
    const bool refused[] = {is_refused([] { return ::open("/etc/passwd", O_RDONLY); }),
                            is_refused([] { return ::open("/tmp/made", O_WRONLY | O_CREAT, 0600); }),
                            is_refused([] { return ::unlink("/tmp/made"); }),
                            is_refused([] { return ::socket(AF_INET, SOCK_STREAM, 0); }),
                            is_refused([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }),
                            is_refused([&] { return ::execve("/bin/true", arguments, arguments); }),
                            is_refused([] { return ::fork(); }),
                            is_refused([] { return ::kill(::getppid(), 0); })};
    std::string letters;
    for (const bool each : refused) letters += each ? 'r' : '-';
    static_cast<void>(!::write(out[1], letters.data(), letters.size()));
    ::_exit(0);
  }
  ::close(out[1]);
  char letters[16] = {};
  const auto count = ::read(out[0], letters, sizeof letters - 1);
  ::close(out[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(count, 8) << "it can write to its output";
  if (std::string(letters) == "--------") GTEST_SKIP() << "This system allows no seccomp filter.";
  EXPECT_EQ(std::string(letters), "rrrrrrrr");
}

/// The real decoder, with files that were damaged at random. DICTUM_DECODER_SEED repeats a run.
class HostileFiles : public testing::TestWithParam<const char*> {};

TEST_P(HostileFiles, AreReadInPartOrRefusedInTime) {
  if (!find_decoder()) GTEST_SKIP() << "there is no decoder";
  if (std::system("command -v ffmpeg >/dev/null") != 0) GTEST_SKIP() << "ffmpeg makes the files";
  const TemporaryDirectory folder;
  test::Sound sound = test::read_sound(test::project_file("samples/voice_note.wav"));
  sound.samples.resize(static_cast<std::size_t>(sound.sample_rate));
  test::write_wav(folder / "in.wav", sound);
  const fs::path file = folder / fmt::format("out.{}", GetParam());
  const std::string command =
      fmt::format("ffmpeg -nostdin -v error -i '{}' '{}' 2>/dev/null", (folder / "in.wav").string(), file.string());
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "this ffmpeg does not write " << GetParam();
  const std::string whole = test::bytes_of(file);
  const char* const repeated = std::getenv("DICTUM_DECODER_SEED");
  const auto seed = repeated != nullptr ? static_cast<unsigned>(std::atoi(repeated)) : std::random_device{}();
  SCOPED_TRACE(fmt::format("DICTUM_DECODER_SEED={}", seed));
  std::mt19937 random(seed);
  for (int round = std::getenv("DICTUM_SOAK") != nullptr ? 300 : 4; round > 0; --round) {
    std::string bytes = whole;
    const std::size_t reach = round % 2 == 0 ? std::min<std::size_t>(bytes.size(), 200) : bytes.size();
    for (unsigned change = 1 + random() % 20; change > 0; --change) {
      bytes[random() % reach] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    }
    test::write_bytes(file, bytes);
    const auto begin = std::chrono::steady_clock::now();
    const test::ReadSound read = test::read_file(file);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    EXPECT_TRUE(!read.refusal.empty() || read.format.channels > 0);
    EXPECT_LT(read.notices.size(), 300U);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, HostileFiles,
                         testing::Values("mp3", "m4a", "flac", "opus", "ogg", "webm", "wma", "aac"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dictum::audio
