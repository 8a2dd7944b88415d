// The fall-back in virtual time, with runners that are values: what a test says is what they do.

#include "transcription/fallback_runner.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <string>
#include <vector>

#include "support/virtual_time.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A runner of the test: it keeps what it is given until the test has it ask for the job and answer it.
class FakeRunner final : public JobRunner {
 public:
  struct Job {
    std::shared_ptr<JobSource> source;
    std::uint32_t segment{};
    Priority priority{};
  };
  explicit FakeRunner(std::vector<Job>& jobs) : jobs_(jobs) {}
  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) override {
    jobs_.push_back({std::move(source), segment, priority});
  }
  void preview(TranscriptionJob /*growing*/) override {}
  void end_preview(std::uint32_t /*segment*/) override {}
  void abandon() override {}

 private:
  std::vector<Job>& jobs_;
};

class Fallback : public testing::Test, public JobSource {
 protected:
  std::optional<TranscriptionJob> job(std::uint32_t segment) override {
    TranscriptionJob made;
    made.segment_index = segment;
    return made;
  }
  void transcribed(std::uint32_t segment, TranscriptionOutcome outcome) override {
    EXPECT_TRUE(texts_.emplace(segment, outcome.text).second) << "two outcomes";
  }
  void has_no_worker(const EventError& why) override { no_worker_.push_back(why.message); }
  void warn(const EventError& what) override { warnings_.push_back(what.message); }
  std::shared_ptr<JobSource> source() { return {std::shared_ptr<void>(), this}; }

  void submit(std::uint32_t segment) { runner_.submit(source(), segment, Priority::live); }
  void cluster_worker(WorkerState state) { on_status_({.worker = "nats-0", .state = state, .reason = "No server."}); }
  void lose_cluster() {
    cluster_worker(WorkerState::failed);
    time_.advance(30s);
  }

  /// The runner has a worker for its job `index`. Whether it got the job.
  static bool begin(const std::vector<FakeRunner::Job>& jobs, std::size_t index) {
    return jobs.at(index).source->job(jobs.at(index).segment).has_value();
  }
  static void answer(const std::vector<FakeRunner::Job>& jobs, std::size_t index, std::string text) {
    TranscriptionOutcome outcome;
    outcome.text = std::move(text);
    jobs.at(index).source->transcribed(jobs.at(index).segment, std::move(outcome));
  }
  static void fail(const std::vector<FakeRunner::Job>& jobs, std::size_t index) {
    TranscriptionOutcome outcome;
    outcome.error = EventError{"model_missing", "There is no model."};
    jobs.at(index).source->transcribed(jobs.at(index).segment, std::move(outcome));
  }

  boost::asio::io_context io_;
  test::VirtualTime time_{io_};
  std::vector<FakeRunner::Job> cluster_;
  std::vector<FakeRunner::Job> local_;
  FallbackRunner::OnStatus on_status_;
  std::map<std::uint32_t, std::string> texts_;
  std::vector<std::string> warnings_;
  std::vector<std::string> no_worker_;
  FallbackRunner runner_{{.strand = io_.get_executor(),
                          .make_cluster =
                              [this](FallbackRunner::OnStatus on_status) {
                                on_status_ = std::move(on_status);
                                return std::make_unique<FakeRunner>(cluster_);
                              },
                          .make_local = [this] { return std::make_unique<FakeRunner>(local_); },
                          .after = 30s,
                          .local_name = "whisper"},
                         time_};
};

TEST_F(Fallback, GivesNothingToTheLocalPoolWhileTheClusterAnswers) {
  submit(0);
  cluster_worker(WorkerState::ready);
  time_.advance(1h);
  EXPECT_TRUE(begin(cluster_, 0));
  answer(cluster_, 0, "from the cluster");
  EXPECT_THAT(local_, IsEmpty());
  EXPECT_EQ(texts_[0], "from the cluster");
}

TEST_F(Fallback, GivesWhatWaitsToTheLocalPoolAfterTheDelay) {
  submit(0);
  cluster_worker(WorkerState::failed);
  time_.advance(29s);
  EXPECT_THAT(local_, IsEmpty());
  time_.advance(1s);
  ASSERT_THAT(local_, SizeIs(1));
  EXPECT_TRUE(begin(local_, 0));
  answer(local_, 0, "from here");
  EXPECT_EQ(texts_[0], "from here");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("not answered for 30 s: the transcriber \"whisper\" of this machine")));
}

TEST_F(Fallback, CountsTheDelayFromTheFirstFailureInARow) {
  submit(0);
  cluster_worker(WorkerState::failed);
  time_.advance(20s);
  cluster_worker(WorkerState::starting);
  cluster_worker(WorkerState::failed);
  time_.advance(10s);
  EXPECT_THAT(local_, SizeIs(1));
}

TEST_F(Fallback, BeginsTheDelayAnewAfterAConnection) {
  submit(0);
  cluster_worker(WorkerState::failed);
  time_.advance(20s);
  cluster_worker(WorkerState::ready);
  cluster_worker(WorkerState::failed);
  time_.advance(20s);
  EXPECT_THAT(local_, IsEmpty());
}

TEST_F(Fallback, GoesOnWithTheClusterWhileOneOfItsWorkersIsConnected) {
  submit(0);
  on_status_({.worker = "nats-1", .state = WorkerState::ready, .reason = ""});
  lose_cluster();
  EXPECT_THAT(local_, IsEmpty());
}

TEST_F(Fallback, DropsTheTextThatComesSecond) {
  submit(0);
  EXPECT_TRUE(begin(cluster_, 0));
  lose_cluster();
  EXPECT_TRUE(begin(local_, 0));
  answer(cluster_, 0, "from the cluster");
  answer(local_, 0, "from here");
  EXPECT_EQ(texts_[0], "from the cluster");
}

TEST_F(Fallback, LeavesToTheLocalPoolWhatItHasBegunWhenTheClusterIsBack) {
  submit(0);
  lose_cluster();
  EXPECT_TRUE(begin(local_, 0));
  cluster_worker(WorkerState::ready);
  EXPECT_FALSE(begin(cluster_, 0));
  answer(local_, 0, "from here");
  EXPECT_EQ(texts_[0], "from here");
}

TEST_F(Fallback, TakesBackWhatTheLocalPoolHasNotBegunWhenTheClusterIsBack) {
  submit(0);
  lose_cluster();
  cluster_worker(WorkerState::ready);
  EXPECT_FALSE(begin(local_, 0));
  EXPECT_TRUE(begin(cluster_, 0));
  answer(cluster_, 0, "from the cluster");
  EXPECT_EQ(texts_[0], "from the cluster");
}

TEST_F(Fallback, GivesNewJobsToTheClusterAloneWhenItIsBack) {
  lose_cluster();
  cluster_worker(WorkerState::ready);
  submit(1);
  EXPECT_THAT(cluster_, SizeIs(1));
  EXPECT_THAT(local_, IsEmpty());
}

TEST_F(Fallback, LeavesAJobThatFailsHereToTheCluster) {
  submit(0);
  lose_cluster();
  EXPECT_TRUE(begin(local_, 0));
  EXPECT_FALSE(begin(cluster_, 0)) << "it is begun here";
  fail(local_, 0);
  EXPECT_THAT(texts_, IsEmpty());
  EXPECT_THAT(no_worker_, ElementsAre("There is no model."));
  ASSERT_THAT(cluster_, SizeIs(2));
  EXPECT_TRUE(begin(cluster_, 1));
  answer(cluster_, 1, "from the cluster");
  EXPECT_EQ(texts_[0], "from the cluster");
}

TEST_F(Fallback, SaysThatSegmentsWaitBeforeTheLocalPoolBeginsAndOnlyOnce) {
  submit(0);
  cluster_worker(WorkerState::failed);
  cluster_[0].source->has_no_worker({"worker_died", "No server."});
  cluster_[0].source->has_no_worker({"worker_died", "No server."});
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("after 30 s without the cluster")));
  EXPECT_THAT(no_worker_, IsEmpty()) << "a stop waits for the texts, which will come";
}

}  // namespace
}  // namespace dictum::transcription
