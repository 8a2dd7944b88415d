#include "transcription/job_queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.hpp"
#include "dictum/error.hpp"

namespace dictum::transcription {

void JobQueue::insert(QueuedJob job) {
  const std::pair key{job.priority, job.order};
  const bool is_new = jobs_.emplace(key, std::move(job)).second;
  invariant(is_new, "a job waits in the queue once");
}

QueuedJob JobQueue::next_job(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  QueuedJob job;
  job.source = std::move(source);
  job.segment = segment;
  job.priority = priority;
  job.order = orders_++;
  return job;
}

void JobQueue::push(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  insert(next_job(std::move(source), segment, priority));
}

QueuedJob JobQueue::begun(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  QueuedJob job = next_job(std::move(source), segment, priority);
  job.attempts = 1;
  return job;
}

JobQueue::Jobs::const_iterator JobQueue::find(Offer offer) const {
  return std::ranges::find_if(jobs_, [&](const auto& entry) {
    const QueuedJob& job = entry.second;
    return (offer.fresh || !job.needs_fresh_worker()) && (offer.background || job.priority != Priority::background);
  });
}

bool JobQueue::has_job_for(Offer offer) const {
  return find(offer) != jobs_.end();
}

std::optional<QueuedJob> JobQueue::pop(Offer offer) {
  const auto found = find(offer);
  if (found == jobs_.end()) return std::nullopt;
  QueuedJob job = std::move(jobs_.extract(found).mapped());
  ++job.attempts;
  return job;
}

std::set<std::shared_ptr<JobSource>> JobQueue::sources() const {
  std::set<std::shared_ptr<JobSource>> sources;
  for (const auto& [key, job] : jobs_) sources.insert(job.source);
  return sources;
}

std::optional<WorkerFailure> JobQueue::take_back(QueuedJob job, WorkerFailure failure, bool fresh,
                                                 std::chrono::steady_clock::time_point now) {
  if (failure.cause == FailureCause::settings || failure.cause == FailureCause::job) return failure;
  if (failure.died) {
    if (job.deaths++ == 0) {
      job.pool_deaths_before = deaths_;
      job.pool_answers_before = answers_;
      job.first_death = now;
    }
    ++deaths_;
  }
  const std::uint64_t pool_deaths = deaths_ - job.pool_deaths_before;
  const bool only_this_job_kills = pool_deaths == static_cast<std::uint64_t>(job.deaths);
  const bool is_caused_by_job = failure.died && fresh && only_this_job_kills && answers_ > job.pool_answers_before;
  if (failure.cause == FailureCause::outside && !is_caused_by_job) {
    --job.attempts;
    if (job.deaths == 0 || now - job.first_death < rules_.outage_patience) {
      job.order = orders_++;  // behind the others, so that it cannot hold them up
      insert(std::move(job));
      return std::nullopt;
    }
    failure.message = fmt::format(
        "Its worker was killed {} times from outside, perhaps because the machine has too little memory. Transcribe it "
        "again later. Last error: {}",
        job.deaths, failure.message);
    return failure;
  }
  if (job.attempts < rules_.attempts) {
    insert(std::move(job));
    return std::nullopt;
  }
  failure.message = fmt::format("Transcription failed after {} attempt{}. Last error: {}", job.attempts,
                                job.attempts == 1 ? "" : "s", failure.message);
  if (job.deaths >= job.attempts && job.deaths > 0 && only_this_job_kills) {
    failure.code = to_string(Errc::quarantined);
    failure.message = "Every worker that tried this segment died, and no other one did. " + failure.message;
  }
  return failure;
}

}  // namespace dictum::transcription
