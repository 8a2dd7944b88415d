#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"
#include "dictum/sessions.hpp"
#include "session/session_writer.hpp"

/// What a crash, a deadline or a power cut left to do.
namespace dictum::session {

/// The sessions below `root` that are not finished, or whose manifest or journal is lost, oldest first; those that
/// another process is working on are left out, and so are those of a newer version (the library lists them). Nothing is
/// changed. One that the process lacks descriptors for is listed, too. Throws RecorderError where `root` is there and
/// cannot be listed.
std::vector<UnfinishedSession> find_unfinished(const std::filesystem::path& root);

/// What a recovery records of a journal's damage, for people.
std::string damage_report(const std::vector<journal::JournalProblem>& damage);

/// A segment whose text is still to come.
struct PendingJob {
  std::uint32_t segment_index{};
  std::filesystem::path wav_path;  ///< absolute
  Frame start_frame{};
  Frame end_frame{};
  int revision{};  ///< of the result to come
};

struct RecoveredSession {
  std::vector<PendingJob> jobs;
  std::vector<Event> events;  ///< the whole journal, complete up to `idle`, with absolute paths
};

/// Brings a session that was reopened to the state that a clean stop would have left: a segment that was open is closed
/// with the audio that its file has, and kept; kept segments are queued where the session transcribes; `idle` is
/// recorded. The journal and the sound files are the source; what the journal lost is taken from the manifest where
/// that states it. What is lost (damaged lines, the end of a file that did not reach the disk, the manifest) is
/// recorded as a RecorderFault. What it does, it adds to the journal, with times of `now`; where there is nothing to do
/// it adds nothing, so it may be interrupted and repeated. Throws RecorderError, disk_full or output_unwritable, or
/// session_unreadable where a segment is no WAV.
RecoveredSession recover(SessionWriter& writer, std::chrono::system_clock::time_point now);

}  // namespace dictum::session
