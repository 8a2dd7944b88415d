#include "session/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <concepts>
#include <limits>
#include <utility>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "journal/layout.hpp"
#include "wire/event_json.hpp"

namespace dictum::session {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr std::size_t kPieceBytes = std::size_t{16} << 10;

[[noreturn]] void refuse(const std::string& what) {
  throw RecorderError(Errc::session_unreadable, "The manifest is damaged: " + what + ".");
}

using json::Fields;

std::chrono::system_clock::time_point time_in(const Fields& fields, std::string_view key) {
  const auto value = parse_iso_time(fields.text(key));
  if (!value) fields.wrong(key, "a moment such as 2026-11-22T15:45:01.250Z");
  return *value;
}

template <class T>
T name_in(const Fields& fields, std::string_view key, std::optional<T> (*named)(std::string_view) noexcept) {
  const std::optional<T> value = named(fields.text(key));
  if (!value) fields.wrong(key, "a name that this version knows");
  return *value;
}

/// Calls `each(fields)` for every object of a list.
void for_each_in(const Fields& fields, std::string_view key, const auto& each) {
  std::size_t i = 0;
  for (const boost::json::value& item : fields.array(key))
    each(fields.fields_in(item, fmt::format("{}[{}]", key, i++)));
}

boost::json::value to_json(const Gap& gap) {
  return {{"start_frame", gap.start_frame}, {"frames", gap.frames}, {"reason", to_string(gap.reason)}};
}

boost::json::value to_json(const Segment& segment) {
  boost::json::object json;
  json["index"] = segment.index;
  json["file"] =
      segment.is_kept() ? boost::json::value(boost::json::string(journal::segment_file(segment.index))) : nullptr;
  json["kept"] = segment.is_kept();
  json["start_frame"] = segment.start_frame;
  json["end_frame"] = segment.end_frame;
  json["speech_start_frame"] = segment.speech_start_frame;
  json["speech_end_frame"] = segment.speech_end_frame;
  json["mode"] = to_string(segment.mode);
  json["text"] = segment.text;
  json["status"] = to_string(segment.status);
  json["revision"] = segment.revision >= 0 ? boost::json::value(segment.revision) : nullptr;
  json["revisions"] = segment.revisions;
  json["error"] = nullptr;
  if (segment.edited) json["edited"] = true;  // older versions do not know it
  if (segment.error) json["error"] = {{"code", segment.error->code}, {"message", segment.error->message}};
  if (!segment.engine.empty()) json["engine"] = segment.engine;
  if (!segment.model.empty()) json["model"] = segment.model;
  if (!segment.language.empty()) json["language"] = segment.language;
  return json;
}

boost::json::value to_json(const Note& note) {
  const boost::json::array indexes(note.segments.begin(), note.segments.end());
  return {{"title", note.title}, {"path", note.path}, {"segments", indexes}};
}

boost::json::object head_of(const Manifest& manifest) {
  boost::json::object json;
  json["schema"] = Manifest::kSchema;
  json["session"] = manifest.session;
  json["started_at"] = iso_time(manifest.started_at);
  json["stopped_at"] = nullptr;
  if (manifest.stopped_at) json["stopped_at"] = iso_time(*manifest.stopped_at);
  json["sample_rate"] = manifest.sample_rate;
  json["frames"] = manifest.frames;
  json["end_frame"] = manifest.end_frame;
  json["drift_ppm"] = manifest.drift_ppm;
  json["source"] = manifest.source;
  json["mode"] = to_string(manifest.mode);
  json["transcribes"] = manifest.transcribes;
  json["keep_all"] = manifest.keep_all;
  if (!manifest.language.empty()) json["language"] = manifest.language;  // older versions do not know it
  json["config"] = manifest.config;
  return json;
}

/// Hands the text out in pieces. It is never whole in memory: it is written every few seconds, and may describe ten
/// thousand segments.
template <class Write>
void print(const Manifest& manifest, const Write& write) {
  const std::string head = json::to_pages(head_of(manifest));
  write(head.substr(0, head.rfind("\n}")));
  const auto list = [&](std::string_view name, const auto& items) {
    std::string text = fmt::format(",\n  \"{}\": [", name);
    std::string_view separator = "\n    ";
    for (const auto& item : items) {
      text += separator;
      text += json::to_line(to_json(item));
      separator = ",\n    ";
      if (text.size() < kPieceBytes) continue;
      write(text);
      text.clear();
    }
    write(text += items.empty() ? "]" : "\n  ]");
  };
  list("gaps", manifest.gaps);
  list("segments", manifest.segments);
  list("notes", manifest.notes);
  write("\n}\n");
}

Segment parse_segment(const Fields& fields) {
  Segment segment;
  segment.index = fields.integer<std::uint32_t>("index", 0);
  segment.start_frame = fields.integer<Frame>("start_frame", 0);
  segment.end_frame = fields.integer<Frame>("end_frame", segment.start_frame);
  segment.speech_start_frame = fields.integer<Frame>("speech_start_frame", 0);
  segment.speech_end_frame = fields.integer<Frame>("speech_end_frame", segment.speech_start_frame);
  segment.mode = name_in(fields, "mode", wire::vad_mode);
  segment.text = fields.text("text");
  segment.status = name_in(fields, "status", journal::segment_status);
  if (fields.flag("kept") != segment.is_kept()) fields.wrong("kept", "what the status says");
  if (!fields.is_null("revision")) segment.revision = fields.integer<int>("revision", 0);
  segment.revisions = fields.integer<int>("revisions", 0);
  segment.edited = fields.flag_or("edited", false);
  if (!fields.is_null("error")) {
    const Fields error = fields.fields_in(*fields.find("error"), "error");
    segment.error = EventError{error.text("code"), error.text("message")};
  }
  segment.engine = fields.text_or("engine", "");
  segment.model = fields.text_or("model", "");
  segment.language = fields.text_or("language", "");
  return segment;
}

}  // namespace

Manifest Manifest::unfolded() const {
  Manifest fresh = *this;
  static_cast<journal::SessionState&>(fresh) = {.transcribes = transcribes};
  return fresh;
}

std::chrono::system_clock::time_point Manifest::time_of_frame(Frame frame) const {
  constexpr double lifetime = 3e9;
  const auto ms = static_cast<std::int64_t>(std::clamp(seconds(frame), 0.0, lifetime) * 1000);
  return started_at + std::chrono::milliseconds(ms);
}

boost::json::object to_json(const Manifest& manifest) {
  boost::json::object json = head_of(manifest);
  const auto list = [&](std::string_view name, const auto& items) {
    boost::json::array& array = json[name].emplace_array();
    for (const auto& item : items) array.push_back(to_json(item));
  };
  list("gaps", manifest.gaps);
  list("segments", manifest.segments);
  list("notes", manifest.notes);
  return json;
}

std::string to_text(const Manifest& manifest) {
  std::string text;
  print(manifest, [&](std::string_view piece) { text += piece; });
  return text;
}

Manifest parse_manifest(std::string_view text) {
  boost::system::error_code error;
  const boost::json::value value = json::parse(text, error);
  if (error) refuse(error.message());
  const Fields fields(value, "the manifest", refuse);
  if (const int schema = fields.integer<int>("schema", 1); schema > Manifest::kSchema) {
    throw NewerManifest(
        fmt::format("The session was made by a newer version of Dictum (schema {}; this one reads up to {}).", schema,
                    Manifest::kSchema));
  }

  Manifest manifest;
  manifest.session = fields.text("session");
  manifest.started_at = time_in(fields, "started_at");
  if (!fields.is_null("stopped_at")) manifest.stopped_at = time_in(fields, "stopped_at");
  manifest.sample_rate = fields.integer<int>("sample_rate", 1);
  manifest.frames = fields.integer<Frame>("frames", 0);
  manifest.end_frame = fields.integer<Frame>("end_frame", 0);
  manifest.drift_ppm = fields.is_null("drift_ppm") ? 0 : fields.number("drift_ppm");
  manifest.source = fields.text("source");
  manifest.mode = name_in(fields, "mode", wire::vad_mode);
  manifest.transcribes = fields.flag("transcribes");
  manifest.keep_all = fields.flag("keep_all");
  manifest.language = fields.text_or("language", "");
  manifest.config = fields.object("config");
  for_each_in(fields, "gaps", [&](const Fields& gap) {
    const Frame start = gap.integer<Frame>("start_frame", 0);
    const Frame frames = gap.integer<Frame>("frames", 0);
    if (frames > std::numeric_limits<Frame>::max() - start)
      gap.wrong("frames", "a number of frames that can be counted");
    manifest.gaps.push_back({start, frames, name_in(gap, "reason", wire::gap_reason)});
  });
  for_each_in(fields, "segments", [&](const Fields& item) {
    Segment segment = parse_segment(item);
    if (!manifest.segments.empty() && segment.index <= manifest.segments.back().index)
      item.wrong("index", "larger than the one before");
    manifest.segments.push_back(std::move(segment));
  });
  for_each_in(fields, "notes", [&](const Fields& item) {
    Note note{item.text("title"), item.text("path"), {}};
    for (const boost::json::value& each : item.array("segments")) {
      note.segments.push_back(item.integer_in<std::uint32_t>("segments", each));
    }
    manifest.notes.push_back(std::move(note));
  });
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& session) {
  const std::filesystem::path file = session / journal::kManifestFile;
  const std::string text = journal::SessionFolder(session).read(journal::kManifestFile, kMaxBytes);
  try {
    return parse_manifest(text);
  } catch (const NewerManifest& newer) {
    throw NewerManifest(fmt::format("'{}': {}", file.string(), newer.what()));
  } catch (const RecorderError& error) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}': {}", file.string(), error.what()));
  }
}

void write_manifest(const journal::SessionFolder& folder, const Manifest& manifest,
                    journal::FileReplacement::Flush flush) {
  journal::FileReplacement file(folder, journal::kManifestFile);
  print(manifest, [&](std::string_view piece) { file.append(piece); });
  file.commit(flush);
}

void write_manifest(const std::filesystem::path& session, const Manifest& manifest,
                    journal::FileReplacement::Flush flush) {
  write_manifest(journal::SessionFolder(session), manifest, flush);
}

}  // namespace dictum::session
