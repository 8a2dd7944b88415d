#pragma once

#include <utility>

#include "transcription/job_source.hpp"

namespace dictum::transcription {

/// A job that was handed over whole, as the source of itself.
class GivenJob final : public JobSource {
 public:
  GivenJob(TranscriptionJob job, Transcriber::Done done) : job_(std::move(job)), done_(std::move(done)) {}

  std::optional<TranscriptionJob> job(std::uint32_t /*segment*/) override { return job_; }
  void transcribed(std::uint32_t /*segment*/, TranscriptionOutcome outcome) override { done_(std::move(outcome)); }

 private:
  const TranscriptionJob job_;
  const Transcriber::Done done_;
};

}  // namespace dictum::transcription
