#include "transcription/worker_lookup.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "dictum/error.hpp"
#include "pool_fixture.hpp"
#include "support/given_job.hpp"
#include "support/test_data.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::transcription {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Puts an environment variable back where it was.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~EnvironmentVariable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

class WorkerLookup : public testing::Test {
 protected:
  fs::path install(const fs::path& folder, const std::string& file) {
    fs::create_directories(folder);
    std::ofstream(folder / file) << "#!/bin/sh\n";
    fs::permissions(folder / file, fs::perms::owner_all);
    return folder / file;
  }

  template <class Call>
  std::pair<std::error_code, std::string> failure(Call call) {
    try {
      call();
    } catch (const RecorderError& error) {
      return {error.code(), error.what()};
    }
    return {};
  }

  test::TemporaryDirectory folder_;
};

TEST_F(WorkerLookup, TakesTheUsersFolderBeforePath) {
  const auto first = install(folder_ / "first", "dictum-worker-mine");
  const auto second = install(folder_ / "second", "dictum-worker-mine");
  const EnvironmentVariable path("PATH", (folder_ / "second").string());
  EXPECT_EQ(find_worker("mine"), second);
  const EnvironmentVariable mine("DICTUM_WORKER_DIR", (folder_ / "first").string());
  EXPECT_EQ(find_worker("mine"), first);
}

TEST_F(WorkerLookup, TakesTheFolderOfTheProgramBeforePath) {
  install(folder_ / "bin", "dictum-worker-simulated");
  const EnvironmentVariable path("PATH", (folder_ / "bin").string());
  EXPECT_EQ(find_worker("simulated"), programs() / "dictum-worker-simulated");
}

TEST_F(WorkerLookup, PassesOverWhatCannotBeRun) {
  const auto file = install(folder_ / "bin", "dictum-worker-mine");
  fs::permissions(file, fs::perms::owner_read);
  fs::create_directories(folder_ / "bin" / "dictum-worker-folder");
  const EnvironmentVariable path("PATH", (folder_ / "bin").string());
  if (::getuid() != 0) {
    EXPECT_EQ(failure([] { find_worker("mine"); }).first, Errc::transcriber_missing);
  }
  EXPECT_EQ(failure([] { find_worker("folder"); }).first, Errc::transcriber_missing);
}

TEST_F(WorkerLookup, NeverLooksWhereOneHappensToStand) {
  install(folder_.path(), "dictum-worker-mine");
  const EnvironmentVariable path("PATH", ".::relative");
  const auto before = fs::current_path();
  fs::current_path(folder_.path());
  const auto [code, sentence] = failure([] { find_worker("mine"); });
  fs::current_path(before);
  EXPECT_EQ(code, Errc::transcriber_missing);
}

TEST_F(WorkerLookup, IgnoresARelativeFolderOfTheUserAndSaysSo) {
  install(folder_ / "mine", "dictum-worker-mine");
  const EnvironmentVariable mine("DICTUM_WORKER_DIR", "mine");
  const EnvironmentVariable path("PATH", "/bin:relative");
  const auto before = fs::current_path();
  fs::current_path(folder_.path());
  const auto [code, sentence] = failure([] { find_worker("mine"); });
  fs::current_path(before);
  EXPECT_EQ(code, Errc::transcriber_missing);
  EXPECT_THAT(ignored_worker_folders(),
              testing::ElementsAre(HasSubstr("\"mine\" of DICTUM_WORKER_DIR"), HasSubstr("\"relative\" of PATH")));
  EXPECT_THAT(sentence, HasSubstr("DICTUM_WORKER_DIR: write an absolute path"));
}

TEST_F(WorkerLookup, LooksInAbsoluteFoldersOnly) {
  const EnvironmentVariable path("PATH", ":.:x:/bin:");
  for (const fs::path& folder : worker_folders()) EXPECT_TRUE(folder.is_absolute()) << folder;
}

TEST_F(WorkerLookup, NamesTheOthersWhereOneIsMissing) {
  const auto [code, sentence] = failure([] { find_worker("nobody"); });
  EXPECT_EQ(code, Errc::transcriber_missing);
  EXPECT_THAT(sentence, HasSubstr("simulated"));
}

TEST_F(WorkerLookup, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"", "../x", "a/b", "Whisper", "a b", "caf\u00e9"}) {
    EXPECT_EQ(failure([&] { find_worker(name); }).first, Errc::invalid_argument) << name;
  }
}

TEST_F(WorkerLookup, ListsEachWorkerOnce) {
  install(folder_ / "bin", "dictum-worker-mine");
  install(folder_ / "bin", "dictum-worker-simulated");
  install(folder_ / "bin", "dictum-worker-Not.A.Name");
  const EnvironmentVariable path("PATH", (folder_ / "bin").string());
  std::vector<std::string> names;
  for (const InstalledWorker& worker : list_workers()) names.push_back(worker.name);
  EXPECT_THAT(names, testing::IsSupersetOf({"mine", "simulated"}));
  EXPECT_EQ(std::ranges::count(names, "simulated"), 1);
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST_F(WorkerLookup, TakesWhisperOnlyWithAModel) {
  install(folder_ / "bin", "dictum-worker-whisper");
  const EnvironmentVariable mine("DICTUM_WORKER_DIR", (folder_ / "bin").string());
  const EnvironmentVariable models("DICTUM_MODELS_DIR", (folder_ / "models").string());
  EXPECT_EQ(resolve_transcriber("auto"), "pocketsphinx");
  EXPECT_THAT(why_not_whisper().value_or(EventError{}).message, HasSubstr("dictum models pull"));
  install(folder_ / "models", "ggml-tiny.en.bin");
  EXPECT_EQ(resolve_transcriber("auto"), "whisper");
  EXPECT_EQ(why_not_whisper(), std::nullopt);
}

TEST_F(WorkerLookup, LeavesOtherNamesAlone) {
  EXPECT_EQ(resolve_transcriber("mine"), "mine");
}

std::string destination(const std::string& transcriber, const std::string& url = "") {
  const EnvironmentVariable address("DICTUM_OPENAI_URL", url);
  RecorderConfig config;
  config.transcription.transcriber = transcriber;
  return where_speech_goes(config);
}

TEST(WhereSpeechGoes, IsNotPromisedOfAServer) {
  EXPECT_THAT(destination("openai"), HasSubstr("sent to api.openai.com"));
  EXPECT_THAT(destination("openai", "https://me:key@speech.example:8443/v1"),
              HasSubstr("sent to speech.example:8443 "));
  EXPECT_THAT(destination("openai", "http://evil\x1b[31m/v1"), testing::Not(HasSubstr("\x1b")));
}

TEST(WhereSpeechGoes, IsEachServerOfACluster) {
  RecorderConfig config;
  config.transcription.transcriber = "nats";
  config.transcription.nats_url = "nats://me:key@one:4222,tls://two,";
  EXPECT_THAT(where_speech_goes(config), HasSubstr("the cluster at one:4222, two to"));
}

TEST(WhereSpeechGoes, IsNotPromisedOfATranscriberThatNothingIsKnownOf) {
  for (const char* name : {"command", "mine"}) EXPECT_THAT(destination(name), HasSubstr("may send it elsewhere"));
}

TEST(WhereSpeechGoes, IsThisMachineWithATranscriberOfOurs) {
  for (const char* name : {"auto", "whisper", "pocketsphinx", "none"}) {
    EXPECT_EQ(destination(name), "What you say stays on this machine.") << name;
  }
}

TEST_F(WorkerLookup, AsksAWorkerForItsHello) {
  EXPECT_EQ(probe(programs() / "dictum-worker-simulated").engine, "simulated");
}

TEST_F(WorkerLookup, SaysWhyAWorkerHasNoHello) {
  const auto [code, sentence] = failure([&] { probe(install(folder_.path(), "dictum-worker-mute")); });
  EXPECT_EQ(code, Errc::transcriber_missing);
  EXPECT_THAT(sentence, HasSubstr("exit code 0"));
}

// What it printed and its end come at the same time, in either order.
TEST_F(WorkerLookup, SaysTheLastLineOfAWorkerThatEndsAtOnce) {
  const fs::path worker = install(folder_.path(), "dictum-worker-hasty");
  std::ofstream(worker) << "#!/bin/sh\necho there is no microphone >&2\nexit 3\n";
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(failure([&] { probe(worker); }).second,
                HasSubstr("exit code 3. The last line that it printed: there is"));
  }
}

/// The example that people copy from.
class PythonWorker : public PoolFixture {
 protected:
  void SetUp() override {
    if (std::system("python3 -c pass 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3";
    settings.name = "loudness";
    settings.executable = test::project_file("examples/worker.py");
    settings.ping_interval = std::chrono::milliseconds(10);
    settings.lost_pings = 1000;  // an interpreter starts slowly on a busy machine
    make_pool();
  }
};

TEST_F(PythonWorker, TranscribesAFile) {
  TranscriptionJob sample = job(0);
  sample.wav_path = folder / "silence.wav";
  std::ofstream(sample.wav_path, std::ios::binary)
      << std::string("RIFF\xa4>\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80>\0\0\2\0\x10\0data\x80>\0\0", 44)
      << std::string(16'000, '\0');
  test::transcribe(*pool, sample, [&](TranscriptionOutcome outcome) { done[0] = std::move(outcome); });
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(done[0].error, std::nullopt) << done[0].error->message;
  EXPECT_EQ(done[0].text, "1.0 seconds at -100 decibels");
}

TEST_F(PythonWorker, SaysThatAFileIsMissing) {
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  ASSERT_TRUE(done[0].error.has_value());
  EXPECT_EQ(done[0].error->code, "input_unreadable");
}

}  // namespace
}  // namespace dictum::transcription
