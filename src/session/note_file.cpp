#include "session/note_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/string.hpp>
#include <vector>

#include "base/json.hpp"
#include "dictum/text.hpp"
#include "journal/layout.hpp"
#include "session/markdown.hpp"

namespace dictum::session {
namespace {

/// A YAML string in double quotes is written as a JSON string is.
std::string quoted(const std::string& text) {
  return json::to_line(boost::json::string(text));
}

}  // namespace

std::string note_markdown(const Manifest& manifest, const Event& event, const NoteCompleted& note) {
  Frame start = event.frame;
  Frame end = event.frame;
  std::vector<std::string> files;
  for (bool first = true; const std::uint32_t index : note.segments) {
    const Segment* segment = manifest.find(index);
    if (segment == nullptr) continue;
    start = first ? segment->speech_start_frame : std::min(start, segment->speech_start_frame);
    end = first ? segment->speech_end_frame : std::max(end, segment->speech_end_frame);
    first = false;
    if (segment->is_kept()) files.push_back("../" + journal::segment_file(index));
  }

  std::string page = "---\n";
  page += fmt::format("title: {}\n", quoted(note.title));
  page += fmt::format("session: {}\n", quoted(manifest.session));
  page += fmt::format("start: {}\n", iso_time(manifest.time_of_frame(start)));
  page += fmt::format("duration_sec: {:.3f}\n", manifest.seconds(end - start));
  page += fmt::format("segments: [{}]\n", fmt::join(note.segments, ", "));
  page += fmt::format("audio: [{}]\n", fmt::join(files, ", "));
  if (note.revision > 0) page += fmt::format("revision: {}\n", note.revision);
  page += "---\n\n";
  page += fmt::format("# {}\n", without_markup(note.title));
  if (!note.text.empty()) page += fmt::format("\n{}\n", without_markup(note.text));
  if (!files.empty()) page += "\nAudio:";
  for (const std::string& file : files) page += fmt::format(" [{}]({})", file.substr(3), file);
  if (!files.empty()) page += '\n';
  return page;
}

std::filesystem::path former_note_path(const std::filesystem::path& path, int revision) {
  return path.parent_path() / fmt::format("{}.{}{}", path.stem().string(), revision, path.extension().string());
}

}  // namespace dictum::session
