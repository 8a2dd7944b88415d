#pragma once

#include <cstdint>
#include <optional>

#include "dictum/transcriber.hpp"

namespace dictum::transcription {

/// Whoever has segments to transcribe, a session. Lives on the pool's strand, where it is called; the pool shares it
/// while it has a segment of it. A backlog is segment numbers: everything else stays with the source until it is asked.
class JobSource {
 public:
  virtual ~JobSource() = default;

  /// The job of `segment`, whose turn has come; asked again for each attempt. Nothing where it is no longer wanted: the
  /// pool then forgets the segment, without an outcome.
  virtual std::optional<TranscriptionJob> job(std::uint32_t segment) = 0;

  /// The outcome of `segment`: exactly one for each `submit`, never from inside a call to the pool.
  virtual void transcribed(std::uint32_t segment, TranscriptionOutcome outcome) = 0;

  /// No worker could be started for some time, for the reason that `why` says; called again with each further failure.
  /// The segments wait until one can be, or until the source does not want them any more.
  virtual void has_no_worker(const EventError& why) = 0;

  /// Something that a person should know, while the segments get their texts all the same.
  virtual void warn(const EventError& /*what*/) {}
};

}  // namespace dictum::transcription
