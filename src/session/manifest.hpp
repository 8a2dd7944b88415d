#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "dictum/error.hpp"
#include "dictum/frame.hpp"
#include "journal/file_replacement.hpp"
#include "journal/session_state.hpp"

namespace dictum::session {

using journal::Gap;
using journal::Note;
using journal::Segment;
using journal::SegmentStatus;

/// A session in short: a value. The state is the fold of the journal, so it can always be made again from there; the
/// rest is set once, or by the recording as it goes on. The recording guarantees that end_frame = frames + the frames
/// of all gaps.
struct Manifest : journal::SessionState {
  static constexpr int kSchema = 1;

  std::string session;
  std::chrono::system_clock::time_point started_at;  ///< whole milliseconds
  int sample_rate{};
  std::string source;
  boost::json::object config;
  bool keep_all{};

  Frame frames{};     ///< captured
  Frame end_frame{};  ///< frames and gaps
  double drift_ppm{};

  bool operator==(const Manifest&) const = default;

  /// The manifest with the fold empty: where a journal is to be folded again.
  Manifest unfolded() const;

  double seconds(Frame frames_on_clock) const { return static_cast<double>(frames_on_clock) / sample_rate; }
  /// The time of day of a frame, to the millisecond; within a lifetime of the start, whatever the frame.
  std::chrono::system_clock::time_point time_of_frame(Frame frame) const;
};

/// A manifest of a newer version: the session is whole, and left as it is.
class NewerManifest : public RecorderError {
 public:
  explicit NewerManifest(std::string sentence) : RecorderError(Errc::session_unreadable, std::move(sentence)) {}
};

boost::json::object to_json(const Manifest& manifest);

/// The same as a text for people and programs: a line for every gap, segment and note.
std::string to_text(const Manifest& manifest);

/// Reads the text of a manifest, which may be anything. Throws RecorderError(session_unreadable), naming what is wrong,
/// and saying so where it was made by a newer version.
Manifest parse_manifest(std::string_view text);

/// Reads the manifest of the session in that folder. Throws as above.
Manifest read_manifest(const std::filesystem::path& session);

/// Replaces it in one step, in constant memory however long the session. Throws RecorderError, disk_full or
/// output_unwritable.
void write_manifest(const std::filesystem::path& session, const Manifest& manifest,
                    journal::FileReplacement::Flush flush = journal::FileReplacement::Flush::now);
void write_manifest(const journal::SessionFolder& folder, const Manifest& manifest,
                    journal::FileReplacement::Flush flush = journal::FileReplacement::Flush::now);

}  // namespace dictum::session
