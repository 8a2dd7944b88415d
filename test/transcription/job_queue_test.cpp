#include "transcription/job_queue.hpp"

#include <gmock/gmock.h>

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr JobQueue::Offer kFresh{.fresh = true, .background = true};
constexpr JobQueue::Offer kUsed{.fresh = false, .background = true};

class JobQueueTest : public testing::Test {
 protected:
  static WorkerFailure reported() {
    return {.cause = FailureCause::worker, .code = "transcription_failed", .message = "No such voice."};
  }
  static WorkerFailure crash() {
    return {.cause = FailureCause::worker, .code = "worker_died", .message = "SIGSEGV.", .died = true};
  }
  static WorkerFailure kill() {
    return {.cause = FailureCause::outside, .code = "worker_died", .message = "SIGKILL.", .died = true};
  }

  void push(std::uint32_t segment, Priority priority = Priority::live) { queue_.push(nullptr, segment, priority); }

  std::vector<std::uint32_t> pop_all(JobQueue::Offer offer = kFresh) {
    std::vector<std::uint32_t> segments;
    while (const auto job = queue_.pop(offer)) segments.push_back(job->segment);
    return segments;
  }

  /// Pops the next job for a fresh worker and lets its attempt fail.
  std::optional<WorkerFailure> fail_next(const WorkerFailure& failure, bool fresh = true) {
    auto job = queue_.pop(kFresh);
    EXPECT_TRUE(job.has_value());
    return queue_.take_back(*std::move(job), failure, fresh, now_);
  }

  JobQueue queue_{{.attempts = 3, .outage_patience = 300s}};
  std::chrono::steady_clock::time_point now_;
};

TEST_F(JobQueueTest, GivesLiveJobsFirstAndEachKindInItsOrder) {
  push(10, Priority::background);
  push(0);
  push(11, Priority::background);
  push(1);
  EXPECT_THAT(pop_all(), ElementsAre(0, 1, 10, 11));
}

TEST_F(JobQueueTest, KeepsEveryJobThatWasBegunBeforeItWasAskedForAndFailed) {
  push(0);
  for (const std::uint32_t segment : {1U, 2U}) {
    EXPECT_FALSE(queue_.take_back(queue_.begun(nullptr, segment, Priority::live), crash(), false, now_));
  }
  EXPECT_THAT(pop_all(), ElementsAre(0, 1, 2));
}

TEST_F(JobQueueTest, KeepsBackgroundJobsFromAWorkerThatIsReserved) {
  push(10, Priority::background);
  const JobQueue::Offer reserved{.fresh = true, .background = false};
  EXPECT_FALSE(queue_.has_job_for(reserved));
  EXPECT_FALSE(queue_.pop(reserved).has_value());
  EXPECT_TRUE(queue_.has_job_for(kFresh));
}

TEST_F(JobQueueTest, GivesAJobThatFailedToAFreshWorkerOnlyAndInItsPlace) {
  push(0);
  push(1);
  EXPECT_EQ(fail_next(reported()), std::nullopt);
  EXPECT_EQ(queue_.pop(kUsed)->segment, 1);
  EXPECT_FALSE(queue_.pop(kUsed).has_value());
  EXPECT_EQ(queue_.pop(kFresh)->attempts, 2);
}

TEST_F(JobQueueTest, FailsAJobAfterAllItsAttempts) {
  push(0);
  EXPECT_FALSE(fail_next(reported()));
  EXPECT_FALSE(fail_next(reported()));
  const auto failure = fail_next(reported());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "transcription_failed");
  EXPECT_EQ(failure->message, "Transcription failed after 3 attempts. Last error: No such voice.");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(JobQueueTest, FailsAtOnceWhatNoOtherAttemptCanMend) {
  for (const FailureCause final_cause : {FailureCause::settings, FailureCause::job}) {
    push(0);
    WorkerFailure failure = reported();
    failure.cause = final_cause;
    EXPECT_EQ(fail_next(failure)->message, "No such voice.");
  }
}

TEST_F(JobQueueTest, QuarantinesAJobThatCrashesEveryWorkerWhileOthersLive) {
  push(0);
  fail_next(crash());
  queue_.note_answer();
  fail_next(crash());
  EXPECT_EQ(fail_next(crash())->code, "quarantined");
}

TEST_F(JobQueueTest, DoesNotQuarantineAJobWhereOtherWorkersDieToo) {
  push(0);
  fail_next(crash());
  queue_.note_death();
  fail_next(crash());
  EXPECT_EQ(fail_next(crash())->code, "worker_died");
}

TEST_F(JobQueueTest, BlamesNoJobForWorkersThatAreKilledFromOutside) {
  push(0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(fail_next(kill(), i > 0)) << i;
    queue_.note_death();  // the killer takes others as well
    queue_.note_answer();
  }
  EXPECT_EQ(queue_.pop(kFresh)->attempts, 1);
}

TEST_F(JobQueueTest, LetsOtherJobsPassOneWhoseWorkerWasKilled) {
  push(0);
  push(1);
  fail_next(kill());
  EXPECT_THAT(pop_all(), ElementsAre(1, 0));
}

TEST_F(JobQueueTest, BlamesAJobWhoseFreshWorkersAreKilledWhileOtherJobsAreAnswered) {
  push(0);
  fail_next(kill(), false);  // a worker with a history: no evidence
  queue_.note_answer();
  EXPECT_FALSE(fail_next(kill()));
  EXPECT_FALSE(fail_next(kill()));
  EXPECT_EQ(fail_next(kill())->code, "quarantined");
}

TEST_F(JobQueueTest, BlamesNoJobForWorkersThatEndThemselvesSinceTheirClusterIsAway) {
  push(0);
  queue_.note_answer();
  const WorkerFailure lost{.cause = FailureCause::outside, .code = "worker_died", .message = "The cluster is away."};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(fail_next(lost)) << i;
  EXPECT_THAT(pop_all(), ElementsAre(0));
}

TEST_F(JobQueueTest, GivesUpAJobWhoseWorkersAreKilledForTooLong) {
  push(0);
  fail_next(kill());
  now_ += 299s;
  EXPECT_FALSE(fail_next(kill()));
  now_ += 1s;
  const auto failure = fail_next(kill());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "worker_died");
  EXPECT_THAT(failure->message, HasSubstr("killed 3 times from outside"));
}

}  // namespace
}  // namespace dictum::transcription
