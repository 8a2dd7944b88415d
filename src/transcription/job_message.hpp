#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dictum/transcriber.hpp"
#include "transcription/job_source.hpp"
#include "transcription/worker_protocol.hpp"

/// Jobs and answers of the recorder as messages to and from a worker. Plain functions; safe from any thread.
namespace dictum::transcription {

/// The job of a segment, in `language` where it names none; nothing where it is no longer wanted.
std::optional<TranscriptionJob> job_of(JobSource& source, std::uint32_t segment, const std::string& language);

/// How long the audio of the job is.
double seconds_of(const TranscriptionJob& job);

/// Why a worker that said `hello` cannot be given the job; nothing where it can.
std::optional<EventError> problem_of(const TranscriptionJob& job, const Hello& hello);

Job message_of(const TranscriptionJob& job, int attempt);

/// A message for the text of a segment that is still being spoken.
Job interim_message_of(const TranscriptionJob& growing);

/// The outcome on the session's clock; `processing_time` is left to the caller.
TranscriptionOutcome outcome_of(const TranscriptionJob& job, Result result);

TranscriptionOutcome failed_outcome(std::string code, std::string message);

}  // namespace dictum::transcription
