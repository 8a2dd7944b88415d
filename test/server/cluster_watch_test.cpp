#include "server/cluster_watch.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::server {
namespace {

using namespace std::chrono_literals;

constexpr const char* kStatus =
    R"({"servers":"a:4222","streams":[{"name":"DICTUM_JOBS","messages":3,"bytes":99,"max_bytes":1000,"oldest_sec":1.5}],)"
    R"("queues":[{"name":"live-default","waiting":2,"under_way":1,"redelivered":1}],)"
    R"("machines":[{"name":"gpu-7","workers":4,"busy":1,"done":20,"failed":2}]})";

/// The figures that are not older than this call, once there are some.
ClusterFigures wait_for(ClusterWatch& watch, const std::function<bool(const ClusterFigures&)>& wanted) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto figures = watch.figures();
    if (figures && wanted(*figures)) return *figures;
    std::this_thread::yield();
  }
  ADD_FAILURE() << "the figures do not come";
  return {};
}

ClusterWatch::Settings shell(const std::string& script) {
  return {.command = {"/bin/sh", "-c", script}, .environment = {}, .interval = 10ms};
}

TEST(ClusterWatchTest, ReadsWhatTheProgramPrintsWithItsEnvironment) {
  auto settings = shell("printf '%s' \"$STATUS\"");
  settings.environment["STATUS"] = kStatus;
  ClusterWatch watch(settings);
  const auto figures = wait_for(watch, [](const ClusterFigures&) { return true; });
  EXPECT_TRUE(figures.is_reachable);
  ASSERT_EQ(figures.streams.size(), 1U);
  EXPECT_EQ(figures.streams[0].oldest_sec, 1.5);
  ASSERT_EQ(figures.queues.size(), 1U);
  EXPECT_EQ(figures.queues[0].waiting, 2);
  ASSERT_EQ(figures.machines.size(), 1U);
  EXPECT_EQ(figures.machines[0].done, 20);
}

TEST(ClusterWatchTest, NeverWaitsForTheProgram) {
  ClusterWatch watch(shell("exec sleep 3600"));
  EXPECT_FALSE(watch.figures());
  EXPECT_FALSE(watch.figures());
}

TEST(ClusterWatchTest, CountsAClusterAsUnreachableWhoseProgramTakesTooLong) {
  auto settings = shell("exec sleep 3600");
  settings.time_limit = 50ms;
  ClusterWatch watch(settings);
  EXPECT_FALSE(wait_for(watch, [](const ClusterFigures&) { return true; }).is_reachable);
}

TEST(ClusterWatchTest, CountsAClusterAsUnreachableWhoseProgramFails) {
  auto settings = shell("printf '%s' \"$STATUS\"; exit 1");
  settings.environment["STATUS"] = kStatus;
  ClusterWatch watch(settings);
  EXPECT_FALSE(wait_for(watch, [](const ClusterFigures&) { return true; }).is_reachable);
}

TEST(ClusterWatchTest, ReadsTheFiguresAgainWhileTheyAreRead) {
  test::TemporaryDirectory folder;
  const auto file = folder.path() / "status";
  ClusterWatch watch(shell("cat " + file.string()));
  EXPECT_FALSE(wait_for(watch, [](const ClusterFigures&) { return true; }).is_reachable);
  std::ofstream(file) << kStatus;
  EXPECT_TRUE(wait_for(watch, [](const ClusterFigures& figures) { return figures.is_reachable; }).is_reachable);
}

TEST(ClusterWatchTest, HasNoFiguresWithoutACluster) {
  ClusterWatch watch({});
  EXPECT_FALSE(watch.figures());
}

TEST(ClusterFiguresTest, RefusesWhatIsNoStatus) {
  for (const char* text : {"", "[]", "{}", R"({"streams":[1],"queues":[],"machines":[]})",
                           R"({"streams":[],"queues":[{"name":"a"}],"machines":[]})"}) {
    EXPECT_THROW(parse_cluster_figures(text), RecorderError) << text;
  }
}

}  // namespace
}  // namespace dictum::server
