#include "transcription/work_ahead.hpp"

#include <utility>

#include "transcription/job_message.hpp"

namespace dictum::transcription {

using Work = WorkerLane::Work;

WorkAhead::WorkAhead(WorkerLanes& lanes, std::string language, std::chrono::milliseconds interval)
    : lanes_(lanes), language_(std::move(language)), interval_(interval) {}

void WorkAhead::begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) {
  if (early_) stop_early();
  lanes_.cancel(Work::interim);
  early_ = Early{.source = std::move(source), .segment = segment};
}

void WorkAhead::cancel_early(std::uint32_t segment) {
  if (early_ && early_->segment == segment) stop_early();
}

void WorkAhead::stop_early() {
  lanes_.cancel(Work::early);
  early_.reset();
}

void WorkAhead::run_early(WorkerLane& lane) {
  auto job = job_of(*early_->source, early_->segment, language_);
  if (!job || problem_of(*job, lane.driver.hello())) return early_.reset();
  early_->lane = &lane;
  lane.job = *std::move(job);
  lane.agreement = {};
  lanes_.run(lane, Work::early, message_of(lane.job, 1), seconds_of(lane.job));
}

void WorkAhead::early_answered(TranscriptionOutcome outcome) {
  early_->lane = nullptr;
  early_->outcome = std::move(outcome);
}

std::optional<WorkAhead::TakenOver> WorkAhead::take_over(const std::shared_ptr<JobSource>& source,
                                                         std::uint32_t segment) {
  if (!early_ || early_->source != source || early_->segment != segment) return std::nullopt;
  Early early = *std::exchange(early_, std::nullopt);
  return TakenOver{.lane = early.lane, .outcome = std::move(early.outcome)};
}

bool WorkAhead::preview(TranscriptionJob growing, Time now) {
  if (growing.language.empty()) growing.language = language_;
  if (agreement_of(growing) == nullptr) {
    lanes_.cancel(Work::interim);
    preview_.emplace();
  }
  preview_->job = std::move(growing);
  const Frame frames = preview_->job.end_frame - preview_->job.start_frame;
  if (preview_->given_up || early_ || frames <= preview_->asked_to) return false;
  if (preview_->asked_at && now - *preview_->asked_at < interval_) return false;
  return !lanes_.is_working_on(Work::interim) && !lanes_.has_remote_worker();
}

void WorkAhead::run_interim(WorkerLane& lane, Time now) {
  if (problem_of(preview_->job, lane.driver.hello())) return;
  preview_->asked_at = now;
  preview_->asked_to = preview_->job.end_frame - preview_->job.start_frame;
  lanes_.run(lane, Work::interim, interim_message_of(preview_->job), seconds_of(preview_->job));
}

void WorkAhead::end_preview(std::uint32_t segment) {
  if (preview_ && preview_->job.segment_index == segment) lanes_.cancel(Work::interim);
}

Agreement* WorkAhead::agreement_of(const TranscriptionJob& job) {
  const bool is_previewed =
      preview_ && preview_->job.segment_index == job.segment_index && preview_->job.session == job.session;
  return is_previewed ? &preview_->agreement : nullptr;
}

void WorkAhead::cancel() {
  lanes_.cancel(Work::interim);
  lanes_.cancel(Work::early);
  if (early_) early_->lane = nullptr;
}

void WorkAhead::abandon() {
  early_.reset();
  preview_.reset();
}

}  // namespace dictum::transcription
