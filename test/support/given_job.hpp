#pragma once

#include <memory>
#include <utility>

#include "transcription/job_runner.hpp"

namespace dictum::test {

/// A job that was handed over whole, as the source of itself. It does not wait where no worker can be started.
class GivenJob final : public transcription::JobSource {
 public:
  GivenJob(TranscriptionJob job, Transcriber::Done done) : job_(std::move(job)), done_(std::move(done)) {}

  std::optional<TranscriptionJob> job(std::uint32_t /*segment*/) override {
    return is_given_up_ ? std::nullopt : std::optional(job_);
  }
  void has_no_worker(const EventError& why) override {
    if (std::exchange(is_given_up_, true)) return;
    TranscriptionOutcome outcome;
    outcome.error = why;
    done_(std::move(outcome));
  }
  void transcribed(std::uint32_t /*segment*/, TranscriptionOutcome outcome) override { done_(std::move(outcome)); }

 private:
  const TranscriptionJob job_;
  const Transcriber::Done done_;
  bool is_given_up_ = false;
};

/// Has one job done.
inline void transcribe(transcription::JobRunner& runner, TranscriptionJob job, Transcriber::Done done) {
  const std::uint32_t segment = job.segment_index;
  runner.submit(std::make_shared<GivenJob>(std::move(job), std::move(done)), segment, transcription::Priority::live);
}

}  // namespace dictum::test
