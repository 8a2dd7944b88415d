#include "transcription/worker_environment.hpp"

#include <gmock/gmock.h>

namespace dictum::transcription {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> environment_of(std::string_view worker, std::vector<std::string_view> host) {
  return worker_environment(host, worker);
}

TEST(WorkerEnvironment, KeepsWhatProgramsNeed) {
  EXPECT_THAT(environment_of("whisper", {"PATH=/bin", "HOME=/home/me", "PWD=/x", "LC_ALL=C.UTF-8", "OMP_NUM_THREADS=2",
                                         "DICTUM_WHISPER_THREADS=4", "XDG_DATA_HOME=/d", "EMPTY="}),
              ElementsAre("PATH=/bin", "HOME=/home/me", "PWD=/x", "LC_ALL=C.UTF-8", "OMP_NUM_THREADS=2",
                          "DICTUM_WHISPER_THREADS=4", "XDG_DATA_HOME=/d", "EMPTY="));
}

TEST(WorkerEnvironment, LeavesOutSecretsOfOthers) {
  EXPECT_THAT(
      environment_of("whisper",
                     {"OPENAI_API_KEY=sk-1", "DICTUM_OPENAI_KEY=sk-2", "AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=x",
                      "GITHUB_TOKEN=x", "PGPASSWORD=x", "MYSQL_PWD=x", "my_token=x", "SSH_AUTH_SOCK=/run/ssh",
                      "SSH_AGENT_PID=1", "GOOGLE_APPLICATION_CREDENTIALS=/c.json",
                      "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/bus", "DATABASE_URL=postgres://me:word@host/db"}),
      IsEmpty());
}

TEST(WorkerEnvironment, GivesAWorkerItsOwnSecrets) {
  EXPECT_THAT(environment_of("openai", {"OPENAI_API_KEY=sk-1", "DICTUM_OPENAI_KEY=sk-2", "DEEPGRAM_API_KEY=x"}),
              ElementsAre("OPENAI_API_KEY=sk-1", "DICTUM_OPENAI_KEY=sk-2"));
  EXPECT_THAT(environment_of("my-cloud", {"MY_CLOUD_TOKEN=x", "MY_TOKEN=y"}), ElementsAre("MY_CLOUD_TOKEN=x"));
}

TEST(WorkerEnvironment, KeepsProxiesForAll) {
  EXPECT_THAT(environment_of("openai", {"https_proxy=http://me:word@proxy:3128", "NO_PROXY=localhost"}),
              ElementsAre("https_proxy=http://me:word@proxy:3128", "NO_PROXY=localhost"));
}

TEST(WorkerEnvironment, TakesFoldersThatDependOnTheCurrentOneOutOfPath) {
  EXPECT_THAT(environment_of("x", {"PATH=.:/bin::relative/x:/usr/bin:"}), ElementsAre("PATH=/bin:/usr/bin"));
  EXPECT_THAT(environment_of("x", {"PATH=:."}), IsEmpty());
}

TEST(WorkerEnvironment, IsNotConfusedByBrokenEntries) {
  EXPECT_THAT(environment_of("x", {"", "=", "NAME", "URL=://@"}), ElementsAre("", "=", "NAME"));
}

}  // namespace
}  // namespace dictum::transcription
