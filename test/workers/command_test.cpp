#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/own_programs.hpp"
#include "child_process.hpp"
#include "command_template.hpp"
#include "dictum/error.hpp"
#include "plain_text.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"
#include "temporary_wav.hpp"
#include "test_wav.hpp"
#include "worker_audio.hpp"
#include "worker_process.hpp"

namespace dictum::workers {
namespace {

using test::TemporaryDirectory;
using test::WorkerProcess;

constexpr std::size_t kMaxBytes = 1 << 20;

template <class Call>
RecorderError error_of(Call&& call) {
  try {
    call();
  } catch (const RecorderError& error) {
    return error;
  }
  return {Errc::internal, "no error"};
}

ChildOutput shell(const std::string& script, std::stop_token cancelled = {}) {
  return run_child({"/bin/sh", "-c", script}, kMaxBytes, std::move(cancelled));
}

/// Waits until `pid` is no more, or is only waited for. False where it lives on for ten seconds.
bool is_gone(pid_t pid) {
  const UniqueFD handle(static_cast<int>(::syscall(434 /* pidfd_open */, pid, 0)));
  if (!handle) return errno == ESRCH;
  pollfd end{handle.get(), POLLIN, 0};
  return ::poll(&end, 1, 10'000) == 1;
}

TEST(ChildProcess, BringsWhatTheProgramPrinted) {
  const auto output = shell("echo spoken; echo trouble >&2; exit 3");
  EXPECT_EQ(output.text, "spoken\n");
  EXPECT_EQ(output.last_words, "trouble");
  EXPECT_EQ(output.exit_code, 3);
}

TEST(ChildProcess, TellsTheSignalThatEndedIt) {
  EXPECT_EQ(shell("kill -SEGV $$").exit_code, -SIGSEGV);
}

TEST(ChildProcess, HasNothingToRead) {
  EXPECT_EQ(shell("cat").text, "");
}

TEST(ChildProcess, SaysThatThereIsNoSuchProgram) {
  const auto error = error_of([] { run_child({"no-such-program-at-all"}, kMaxBytes, {}); });
  EXPECT_EQ(error.code(), make_error_code(Errc::transcriber_missing));
}

TEST(ChildProcess, IsNeverAProgramOfTheCurrentFolder) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "recognise") << "#!/bin/sh\necho hacked\n";
  std::filesystem::permissions(folder / "recognise", std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (const char* hostile : {":/bin", "/bin:", ".:/bin", "/bin::/usr/bin", "../x:./"}) {
    ::setenv("PATH", hostile, 1);
    EXPECT_EQ(find_command("recognise"), "") << hostile;
    EXPECT_THROW(run_child({"recognise"}, kMaxBytes, {}), RecorderError) << hostile;
  }
  ::setenv("PATH", folder.path().c_str(), 1);
  EXPECT_EQ(run_child({"recognise"}, kMaxBytes, {}).text, "hacked\n");
  ::setenv("PATH", path.c_str(), 1);
  std::filesystem::current_path(before);
}

TEST(ChildProcess, EndsAProgramThatPrintsWithoutEnd) {
  const auto error = error_of([] { shell("yes"); });
  EXPECT_EQ(error.code(), make_error_code(Errc::transcription_failed));
  EXPECT_NE(std::string(error.what()).find("1024 KiB"), std::string::npos) << error.what();
}

TEST(ChildProcess, KeepsTheEndOfALongComplaint) {
  EXPECT_EQ(shell("seq 1 200000 >&2").last_words, "200000");
}

TEST(ChildProcess, DoesNotWaitForWhatTheProgramLeftBehind) {
  const auto begin = std::chrono::steady_clock::now();
  const auto output = shell("sleep 100 & echo $!");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(is_gone(std::stoi(output.text)));
}

TEST(ChildProcess, KillsTheWholeGroupWhenItIsCancelled) {
  const TemporaryDirectory folder;
  const auto fifo = folder / "started";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::stop_source stop;
  pid_t grandchild = 0;
  std::jthread canceller([&] {
    std::ifstream(fifo) >> grandchild;
    stop.request_stop();
  });
  const auto error = error_of([&] { shell("sleep 100 & echo $! > " + fifo.string() + "; wait", stop.get_token()); });
  canceller.join();
  EXPECT_EQ(error.code(), make_error_code(Errc::cancelled));
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(is_gone(grandchild));
}

TEST(ChildProcess, DoesNotBeginWhatIsAlreadyCancelled) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of([&] { shell("sleep 100", stop.get_token()); }).code(), make_error_code(Errc::cancelled));
}

TEST(CommandTemplate, FillsPlaceholdersAnywhere) {
  const auto command = CommandTemplate::parse(R"(["recognise", "--file={wav}", "-m", "{model}", "{wav}{wav}"])");
  EXPECT_EQ(command.filled("a b.wav", "m.bin"),
            (std::vector<std::string>{"recognise", "--file=a b.wav", "-m", "m.bin", "a b.wava b.wav"}));
  EXPECT_TRUE(command.needs_model());
}

TEST(CommandTemplate, LeavesPlaceholdersInNamesAlone) {
  const auto command = CommandTemplate::parse(R"(["x", "{wav}"])");
  EXPECT_EQ(command.filled("/tmp/{model}/{wav}.wav", "m")[1], "/tmp/{model}/{wav}.wav");
}

TEST(CommandTemplate, HasAPresetForWhisperCLI) {
  const auto command = CommandTemplate::parse("whisper-cli");
  EXPECT_EQ(command.program(), "whisper-cli");
  EXPECT_TRUE(command.needs_model());
}

TEST(CommandTemplate, RefusesWhatIsNoCommand) {
  for (const char* text : {"", "recognise {wav}", "[]", R"([""])", R"(["recognise"])", R"(["x", 1, "{wav}"])",
                           R"({"a": "{wav}"})", R"(["x", "{wav}\u0000"])", "[", R"(["", "{wav}"])"}) {
    EXPECT_EQ(error_of([&] { CommandTemplate::parse(text); }).code(), make_error_code(Errc::config_invalid)) << text;
  }
}

TEST(PlainText, IsOneCleanLine) {
  EXPECT_EQ(plain_text("\n And so,\r\n my\x1b[31m fellow\tAmericans. \n\n"), "And so, my [31m fellow Americans.");
  EXPECT_EQ(plain_text("caf\xc3\xa9 \xff"), "café \xef\xbf\xbd");
  EXPECT_EQ(plain_text(" \n "), "");
}

TEST(TemporaryWAV, HoldsTheSamplesAndIsGoneAfterwards) {
  std::filesystem::path path;
  {
    const auto samples = test::tone(440, 0.1, kEngineRate);
    const TemporaryWAV wav(samples);
    path = wav.path();
    const test::Sound read = test::read_sound(path);  // through the link, as a program of others does
    EXPECT_EQ(read.sample_rate, kEngineRate);
    EXPECT_EQ(to_pcm16(read.samples), to_pcm16(samples));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << "nobody else may read it";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

class CommandWorker : public testing::Test {
 protected:
  CommandWorker() { test::write_wav(wav_, test::tone(440, 0.5, kEngineRate), kEngineRate); }

  static std::string script(const std::string& text) {
    return "DICTUM_COMMAND=[\"/bin/sh\", \"-c\", \"" + text + "\", \"sh\", \"{wav}\"]";
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path wav_ = folder_ / "it's; a $(touch oops) name.wav";
};

TEST_F(CommandWorker, GivesTheProgramTheFileAndTakesItsText) {
  WorkerProcess worker("command", {script("echo spoken; basename \\\"$1\\\"")});
  EXPECT_EQ(worker.expect<transcription::Hello>().engine, "command /bin/sh");
  EXPECT_EQ(worker.transcribe({.wav = wav_}).text, "spoken it's; a $(touch oops) name.wav");
}

TEST_F(CommandWorker, GivesAPartAsAFileOfItsOwnAtTheRateOfEngines) {
  const auto slow = folder_ / "slow.wav";
  test::write_wav(slow, test::tone(440, 1, 48000), 48000);
  WorkerProcess worker("command", {script("wc -c < \\\"$1\\\"")});
  worker.expect<transcription::Hello>();
  const auto text = worker.transcribe({.wav = slow, .range = transcription::FrameRange{12000, 36000}}).text;
  EXPECT_NEAR(std::stod(text), 44 + 2 * 8000, 4);
}

TEST_F(CommandWorker, TellsWhyTheProgramFailed) {
  WorkerProcess worker("command", {script("echo no such device >&2; exit 7")});
  worker.expect<transcription::Hello>();
  const auto error = worker.fail_at({.wav = wav_});
  EXPECT_EQ(error.code, to_string(Errc::transcription_failed));
  EXPECT_EQ(error.message, "/bin/sh ended with exit code 7: no such device");
}

TEST_F(CommandWorker, AnswersACancelledJobAtOnce) {
  WorkerProcess worker("command", {script("sleep 100")});
  worker.expect<transcription::Hello>();
  worker.send(transcription::Job{.id = 1, .wav = wav_});
  worker.send(transcription::Cancel{1});
  const auto message = worker.receive(std::chrono::seconds(20));
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::cancelled));
}

TEST_F(CommandWorker, SaysAtOnceThatThereIsNoProgram) {
  WorkerProcess worker("command", {R"(DICTUM_COMMAND=["no-such-program-at-all", "{wav}"])"});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::transcriber_missing));
}

TEST_F(CommandWorker, SaysAtOnceThatThereIsNoModel) {
  WorkerProcess worker("command", {R"(DICTUM_COMMAND=["/bin/sh", "{wav}", "{model}"])"});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::model_missing));
}

}  // namespace
}  // namespace dictum::workers
