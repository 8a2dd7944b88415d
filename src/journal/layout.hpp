#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

/// What the files of a session are called.
namespace dictum::journal {

inline constexpr const char* kJournalFile = "events.jsonl";  ///< source of record; it also carries the session's lock
inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kIncrementalTranscript = "transcript_incremental.txt";
inline constexpr const char* kRawTranscript = "transcript_raw.txt";
inline constexpr const char* kTimelineFile = "timeline.flac";
inline constexpr const char* kNotesFolder = "notes";

/// What the detector said of every window, beside the timeline: 32-bit little-endian floats, in order. Where it began
/// afresh (at the start, and behind a gap that closed a segment) -1 stands before them, and then the frame of the clock
/// as a 64-bit little-endian number.
inline constexpr const char* kProbabilitiesFile = "probabilities.f32";

/// There as long as the session is not finished, so that the unfinished ones are found without opening every manifest.
/// In it one line "INDEX START_FRAME" for each segment, so that a crash before its SpeechDetected reached the journal
/// does not leave audio without a place in time.
inline constexpr const char* kUnfinishedFile = "unfinished.txt";

/// What a session may have from its start.
inline constexpr std::array kFirstFiles = {kJournalFile,    kManifestFile,     "manifest.json.new",
                                           kRawTranscript,  kTimelineFile,     kIncrementalTranscript,
                                           kUnfinishedFile, kProbabilitiesFile};

/// "seg_0000.wav"
inline std::string segment_file(std::uint32_t index) {
  return fmt::format("seg_{:04}.wav", index);
}

}  // namespace dictum::journal
