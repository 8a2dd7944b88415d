#pragma once

#include <chrono>
#include <cstdint>

#include "dictum/event.hpp"
#include "session/session_writer.hpp"

namespace dictum::session {

/// Records `result` as the next revision of a segment's text, beside the older ones: a correction by hand, or another
/// pass over the audio. The segment's index, the revision and the place in time are set here; one that had never been
/// queued is queued first. Throws RecorderError: invalid_argument where there is no such kept segment or it has not
/// ended, and what SessionWriter::record throws.
void add_revision(SessionWriter& writer, std::uint32_t segment, TranscriptionComplete result,
                  std::chrono::system_clock::time_point now);

}  // namespace dictum::session
