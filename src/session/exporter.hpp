#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/event.hpp"
#include "session/manifest.hpp"

/// A session for other programs: texts, subtitles, and its sound in one piece. Any thread; no state.
namespace dictum::session {

enum class TextFormat { txt, srt, vtt, json, markdown };

/// By the name of a format or the extension of a file: "txt", "srt", "vtt", "json", "md".
std::optional<TextFormat> text_format(std::string_view name) noexcept;

/// What was said: a session's manifest with the texts of one revision, and the words' times where the engine gave them.
struct Script {
  Manifest manifest;
  std::map<std::uint32_t, std::vector<Word>> words;  ///< by the segment's index, where there are any

  const std::vector<Word>& words_of(std::uint32_t segment) const;

  /// Kept segments that failed or are not transcribed yet: the exports mark them.
  std::size_t without_text() const;
};

/// With `revision`, the texts as they were then: of each segment the newest text that is not newer. Throws
/// RecorderError(session_unreadable) where the manifest cannot be read, or where a revision is wanted and the journal
/// is damaged; without one, the manifest's texts serve then.
Script read_script(const std::filesystem::path& session, std::optional<int> revision = std::nullopt);

/// One subtitle: at most two lines of 42 characters and seven seconds, inside of the segment's kept audio. Where the
/// engine gave no times, a text's pieces share the time of its speech by their lengths.
struct Cue {
  Frame start_frame{};
  Frame end_frame{};
  std::string text;  ///< one or two lines
};
std::vector<Cue> cues_of(const Script& script);

std::string export_text(const Script& script, TextFormat format);

enum class AudioExtent {
  kept,      ///< the kept segments, one behind the other
  timeline,  ///< the whole session, gaps and what was not kept as silence: as long as the timeline to the sample
};

/// Writes the session's sound to a new file: WAV or FLAC, by its extension. What is missing in the session is silence,
/// and reported in the result. Throws RecorderError: invalid_argument for another extension or a WAV that would be too
/// long, session_unreadable, output_unwritable also where the file exists, disk_full; no part of a file is left then.
std::vector<std::string> export_audio(const std::filesystem::path& session, const std::filesystem::path& file,
                                      AudioExtent extent);

}  // namespace dictum::session
