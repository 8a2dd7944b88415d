#include "tui_library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/utf8.hpp"
#include "capture/devices.hpp"
#include "playing.hpp"
#include "session/exporter.hpp"
#include "session/library.hpp"
#include "session/new_file.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

tui::Seconds since_epoch(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

tui::Seconds position(const session::Manifest& manifest, Frame frame) {
  return static_cast<double>(frame) / std::max(manifest.sample_rate, 1);
}

tui::SessionEntry entry_of(session::ListedSession listed) {
  tui::SessionEntry entry;
  if (const auto started = listed.started_at()) entry.started_at = since_epoch(*started);
  entry.path = std::move(listed.path);
  entry.name = std::move(listed.name);
  entry.problem = std::move(listed.problem);
  entry.is_open = listed.is_open;
  if (!listed.manifest) return entry;
  const auto& manifest = *listed.manifest;
  entry.duration = position(manifest, manifest.end_frame);
  entry.notes = manifest.notes.size();
  for (const auto& segment : manifest.segments) {
    if (segment.is_kept()) ++entry.segments;
    if (entry.first_text.empty()) entry.first_text = segment.text;
  }
  return entry;
}

tui::Passage passage_of(const session::Manifest& manifest, const session::Segment& segment) {
  using session::SegmentStatus;
  using State = tui::Passage::State;
  tui::Passage passage{segment.index, position(manifest, segment.speech_start_frame), segment.text, State::done};
  if (segment.status == SegmentStatus::recording || segment.status == SegmentStatus::queued) {
    passage.state = State::awaited;
    passage.text = segment.status == SegmentStatus::recording ? "being recorded" : "being transcribed";
  } else if (segment.status != SegmentStatus::done) {
    passage.state = State::failed;
    passage.text = segment.error ? fmt::format("no text: {}", segment.error->message) : "Not transcribed yet.";
  }
  return passage;
}

}  // namespace

std::vector<tui::Device> list_devices_for_tui(const std::string& backend) {
  std::vector<tui::Device> all;
  for (const auto& device : capture::list_devices(backend)) {
    if (!device.is_monitor) all.push_back({device.id, device.name, device.description, device.is_default});
  }
  return all;
}

std::vector<tui::SessionEntry> list_sessions_for_tui(const fs::path& root) {
  std::vector<tui::SessionEntry> all;
  for (auto& listed : session::list_sessions(root)) all.push_back(entry_of(std::move(listed)));
  std::ranges::reverse(all);
  return all;
}

tui::OpenSession read_session_for_tui(const fs::path& path) {
  const auto manifest = session::read_script(path).manifest;
  tui::OpenSession open{path, manifest.session, {}};
  for (const auto& segment : manifest.segments) {
    if (segment.is_kept()) open.passages.push_back(passage_of(manifest, segment));
  }
  return open;
}

std::vector<tui::Hit> search_for_tui(session::SessionIndex& index, const std::string& query) {
  std::vector<tui::Hit> all;
  if (query.empty()) return all;
  index.refresh();
  session::SearchQuery wanted;
  wanted.text = query;
  // While somebody types, what stands there is the beginning of a word.
  if (query.back() != ' ' && query.back() != '*' && query.back() != '"') wanted.text += '*';
  for (auto& found : index.search(wanted)) {
    tui::Hit hit;
    hit.session = std::move(found.session);
    hit.segment = found.segment_index;
    hit.position = static_cast<double>(found.start_frame) / std::max(found.sample_rate, 1);
    hit.said_at = since_epoch(found.said_at);
    hit.text = std::move(found.text);
    hit.note_title = std::move(found.note_title);
    for (const auto& mark : found.marks) hit.marks.push_back({mark.begin, mark.size});
    all.push_back(std::move(hit));
  }
  return all;
}

fs::path export_for_tui(const fs::path& path, const std::string& format) {
  const fs::path file = path.filename().string() + "." + format;
  if (const auto text = session::text_format(format)) {
    session::write_new_file(file, session::export_text(session::read_script(path), *text));
  } else {
    session::export_audio(path, file, session::AudioExtent::kept);
  }
  return file;
}

void play_for_tui(const fs::path& path, std::uint32_t segment, const std::function<void(tui::Playing)>& report,
                  const std::stop_token& stop) {
  const auto manifest = session::read_script(path).manifest;
  play_session(manifest,
               {.session = path,
                .from = start_of(manifest, segment),
                .only = std::nullopt,
                .on_segment = [&](const session::Segment& begun,
                                  Frame start) { report({path, begun.index, position(manifest, start), begun.text}); },
                .on_missing = [](const RecorderError& error) { throw error; }},
               stop);
}

}  // namespace dictum::program
