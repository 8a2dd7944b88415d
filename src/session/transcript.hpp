#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "dictum/event.hpp"
#include "session/manifest.hpp"

/// The two transcripts of a session: plain text, one line a segment, "[HH:MM:SS.mmm] text", the time being that of the
/// segment's first speech since the start of the session. A segment without text reads "[HH:MM:SS.mmm] [not
/// transcribed: why]", one in which nothing was recognised ends behind the time. Line breaks and control characters of
/// a text are spaces here. Everything is a function of the journal, so the files can be made again from it.
namespace dictum::session {

/// The line of a segment, with its line break.
std::string transcript_line(const Segment& segment, int sample_rate);

/// Why a kept segment has no text, for people; empty where it has one.
std::string why_not_transcribed(const Segment& segment);

/// What `event` adds to the transcript in order of completion; `manifest` has it applied. Every revision adds a line.
std::optional<std::string> incremental_line(const Manifest& manifest, const Event& event);

/// The transcript in order of speech, with the newest texts: the lines of the first `segments` segments, whatever
/// became of them.
std::string raw_transcript(const Manifest& manifest, std::size_t segments);

/// How many segments from the first on are settled: so many can be shown in order of speech.
std::size_t settled_segments(const Manifest& manifest, std::size_t known = 0);

}  // namespace dictum::session
