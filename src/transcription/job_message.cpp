#include "transcription/job_message.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

/// Where the job's audio ends on the session's clock.
Frame audio_end(const TranscriptionJob& job) {
  return std::max(job.audio_end_frame.value_or(job.end_frame), job.start_frame);
}

}  // namespace

std::optional<TranscriptionJob> job_of(JobSource& source, std::uint32_t segment, const std::string& language) {
  auto job = source.job(segment);
  if (job && job->language.empty()) job->language = language;
  return job;
}

double seconds_of(const TranscriptionJob& job) {
  return static_cast<double>(audio_end(job) - job.start_frame) / std::max(job.sample_rate, 1);
}

std::optional<EventError> problem_of(const TranscriptionJob& job, const Hello& hello) {
  const std::string code = to_string(Errc::invalid_argument);
  if (!utf8::is_valid(job.wav_path.native())) {
    return EventError{code,
                      "The session's folder has a name that is not UTF-8, which workers cannot be given. Keep sessions "
                      "in another folder."};
  }
  if (auto problem = language_problem(hello, job.language)) return EventError{code, *std::move(problem)};
  return std::nullopt;
}

Job message_of(const TranscriptionJob& job, int attempt) {
  Job message{.wav = job.wav_path.string(),
              .language = job.language,
              .phrases = job.phrases,
              .vocabulary = job.vocabulary,
              .session = job.session,
              .segment_index = job.segment_index,
              .attempt = attempt};
  if (job.audio_end_frame) message.range = FrameRange{0, audio_end(job) - job.start_frame};
  return message;
}

Job interim_message_of(const TranscriptionJob& growing) {
  Job message = message_of(growing, 1);
  message.range = FrameRange{0, audio_end(growing) - growing.start_frame};
  message.interim = true;
  return message;
}

TranscriptionOutcome outcome_of(const TranscriptionJob& job, Result result) {
  TranscriptionOutcome outcome;
  outcome.text = std::move(result.text);
  outcome.words = std::move(result.words);
  outcome.phrases = std::move(result.phrases);
  outcome.no_speech_probability = result.no_speech_probability;
  outcome.suspect = result.suspect;
  outcome.suspect_reason = std::move(result.suspect_reason);
  outcome.annotations = std::move(result.annotations);
  outcome.engine = std::move(result.engine);
  outcome.model = std::move(result.model);
  outcome.language = std::move(result.language);
  const Frame frames = audio_end(job) - job.start_frame;
  const auto place = [&](auto& item) {  // frames of the file become frames of the session, within the job's audio
    item.start_frame = job.start_frame + std::min(item.start_frame, frames);
    item.end_frame = job.start_frame + std::min(item.end_frame, frames);
  };
  std::ranges::for_each(outcome.words, place);
  std::ranges::for_each(outcome.phrases, place);
  return outcome;
}

TranscriptionOutcome failed_outcome(std::string code, std::string message) {
  TranscriptionOutcome outcome;
  outcome.error = EventError{std::move(code), std::move(message)};
  return outcome;
}

}  // namespace dictum::transcription
