#pragma once

#include <utility>

#include "transcription/job_runner.hpp"

namespace dictum::transcription {

/// Runs jobs with a transcriber of the user's own, which gets each one at once and keeps its own queue. What it throws
/// reaches the caller. Owner: the session.
class CustomRunner final : public JobRunner {
 public:
  explicit CustomRunner(std::unique_ptr<Transcriber> transcriber) : transcriber_(std::move(transcriber)) {}

  /// The outcome may come from any thread, and from inside this call.
  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority /*priority*/) override {
    auto job = source->job(segment);
    if (!job) return;
    transcriber_->transcribe(*std::move(job), [source = std::move(source), segment](TranscriptionOutcome outcome) {
      source->transcribed(segment, std::move(outcome));
    });
  }
  void audio_time(Frame frame) override { transcriber_->audio_time(frame); }
  void preview(TranscriptionJob growing) override { transcriber_->preview(std::move(growing)); }
  void end_preview(std::uint32_t segment_index) override { transcriber_->end_preview(segment_index); }
  void abandon() override { transcriber_->abandon(); }

 private:
  const std::unique_ptr<Transcriber> transcriber_;
};

}  // namespace dictum::transcription
