#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/unique_fd.hpp"
#include "processes.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;

/// A recorder in a process of its own, whose workers have started processes in other sessions.
class HostDeath : public testing::Test {
 protected:
  ~HostDeath() override {
    for (const pid_t pid : running()) ::kill(pid, SIGKILL);
  }

  /// Returns once the workers and what they started are there.
  void start(const char* how = nullptr) {
    std::ofstream(folder_ / "script.json") << R"({"grandchild":true})";
    int out[2];
    ASSERT_EQ(::pipe(out), 0);
    host_ = ::fork();
    if (host_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::setenv("DICTUM_SIMULATED_SCRIPT", (folder_ / "script.json").c_str(), 1);
      const std::string program = programs() / "worker_host";
      ::execl(program.c_str(), program.c_str(), "2", how, nullptr);
      std::_Exit(1);
    }
    const UniqueFD in(out[0]);
    ::close(out[1]);
    char ready = 0;
    ASSERT_EQ(::read(in.get(), &ready, 1), 1);
    ASSERT_GE(running().size(), 1 + 2 * 3);  // itself; guard, worker and grandchild of each
  }

  void kill_host() {
    ::kill(host_, SIGKILL);
    ::waitpid(host_, nullptr, 0);
  }

  std::vector<pid_t> running() const { return processes_with(folder_.path().string()); }

  std::vector<pid_t> named(const std::string& name) const {
    std::vector<pid_t> found;
    for (const pid_t pid : running()) {
      std::ifstream in("/proc/" + std::to_string(pid) + "/comm");
      std::string comm;
      if (std::getline(in, comm) && comm.starts_with(name)) found.push_back(pid);
    }
    return found;
  }

  test::TemporaryDirectory folder_;
  pid_t host_ = -1;
};

TEST_F(HostDeath, TakesWorkersAndAllThatTheyStartedWithinASecond) {
  start();
  kill_host();
  EXPECT_TRUE(soon([&] { return running().empty(); }, 1s)) << running().size() << " processes live on";
}

TEST_F(HostDeath, IsNoticedThoughAForkedCopyOfTheHostLivesOn) {
  start("fork");
  kill_host();
  EXPECT_TRUE(soon([&] { return named("dictum-").empty(); }, 1s)) << named("dictum-").size() << " processes live on";
}

TEST_F(HostDeath, OfAGuardTakesItsWorkerAndAllThatItStarted) {
  start();
  for (const pid_t guard : named("dictum-guard")) ::kill(guard, SIGKILL);
  EXPECT_TRUE(soon([&] { return running().size() == 1; }, 1s)) << running().size() - 1 << " processes live on";
}

TEST_F(HostDeath, OfAReaperTakesItsWorkerAndAllThatItStarted) {
  start();
  for (const pid_t reaper : named("dictum-reaper")) ::kill(reaper, SIGKILL);
  EXPECT_TRUE(soon([&] { return running().size() == 1; }, 1s)) << running().size() - 1 << " processes live on";
}

}  // namespace
}  // namespace dictum::transcription
