#include "transcription/pool_reports.hpp"

#include "transcription/job_message.hpp"

namespace dictum::transcription {

void PoolReports::status(const std::string& worker, WorkerSlot::Report report) {
  if (!events_.on_status) return;
  WorkerStatus status{worker, report.state, std::move(report.reason), std::move(report.code)};
  posted_.post([on_status = events_.on_status, status = std::move(status)]() mutable { on_status(std::move(status)); });
}

void PoolReports::partial(const TranscriptionJob& job, Agreement::Version version) {
  if (!events_.on_partial) return;
  posted_.post([on_partial = events_.on_partial, session = job.session, segment = job.segment_index,
                version = std::move(version)]() mutable {
    on_partial(std::move(session), segment, std::move(version.text), version.stable_chars);
  });
}

void PoolReports::outcome(std::shared_ptr<JobSource> source, std::uint32_t segment, TranscriptionOutcome outcome) {
  posted_.post([source = std::move(source), segment, outcome = std::move(outcome)]() mutable {
    source->transcribed(segment, std::move(outcome));
  });
}

void PoolReports::failure(std::shared_ptr<JobSource> source, std::uint32_t segment, const WorkerFailure& failure) {
  outcome(std::move(source), segment, failed_outcome(failure.code, failure.message));
}

void PoolReports::no_worker(std::shared_ptr<JobSource> source, const WorkerFailure& failure) {
  posted_.post([source = std::move(source), error = EventError{failure.code, failure.message}] {
    source->has_no_worker(error);
  });
}

void PoolReports::prepared(const std::optional<EventError>& error) {
  for (auto& done : std::exchange(prepared_, {})) {
    posted_.post([done = std::move(done), error] { done(error); });
  }
}

}  // namespace dictum::transcription
