#include "library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <chrono>
#include <string_view>

#include "base/json.hpp"
#include "base/model_folders.hpp"
#include "dictum/devices.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/settings.hpp"
#include "dictum/transcribers.hpp"

namespace dictum::python {
namespace {

using Moment = std::chrono::system_clock::time_point;

boost::json::object describe(const SessionEntry& listed) {
  return {
      {"path", listed.path.string()}, {"name", listed.name}, {"problem", listed.problem}, {"is_open", listed.is_open}};
}

std::optional<Moment> moment(std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  constexpr double kFarthest = 9e9;  // in 2255; nanoseconds count no farther than 2262, and Python's dates do
  return Moment(std::chrono::duration_cast<Moment::duration>(
      std::chrono::duration<double>(std::clamp(*seconds, -kFarthest, kFarthest))));
}

SessionSearch::Scope scope_of(std::string_view name) {
  using Scope = SessionSearch::Scope;
  if (name == "everything") return Scope::everything;
  if (name == "segments") return Scope::segments;
  if (name == "notes") return Scope::notes;
  throw RecorderError(Errc::invalid_argument, "The scope of a search is \"everything\", \"segments\" or \"notes\".");
}

/// Python counts characters where the index counts bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

boost::json::object describe(const SessionMatch& hit) {
  boost::json::array marks;
  const std::string_view text = hit.text;
  for (const auto& mark : hit.marks) {
    marks.push_back(
        boost::json::array{characters(text.substr(0, mark.begin)), characters(text.substr(0, mark.begin + mark.size))});
  }
  return {{"session", hit.session.string()},
          {"text", hit.text},
          {"marks", std::move(marks)},
          {"note_title", hit.note_title},
          {"note_path", hit.note_path},
          {"segment_index", hit.segment_index},
          {"start_frame", hit.start_frame},
          {"end_frame", hit.end_frame},
          {"sample_rate", hit.sample_rate},
          {"said_at", std::chrono::duration<double>(hit.said_at.time_since_epoch()).count()}};
}

}  // namespace

std::string list_sessions(const std::filesystem::path& root) {
  boost::json::array all;
  for (const auto& listed : dictum::list_sessions(root)) all.push_back(describe(listed));
  return json::to_line(all);
}

std::string find_session(const std::filesystem::path& root, const std::string& what) {
  return json::to_line(describe(session_entry(dictum::find_session(root, what))));
}

std::string search(const std::filesystem::path& root, const std::string& text, const std::string& scope,
                   std::optional<double> since, std::optional<double> before, const std::string& session,
                   std::int64_t limit) {
  if (limit < 0) throw RecorderError(Errc::invalid_argument, "The limit of a search is a number of hits, from 0 on.");
  const SessionSearch query{.text = text,
                            .scope = scope_of(scope),
                            .from = moment(since),
                            .before = moment(before),
                            .session = session,
                            .limit = static_cast<std::size_t>(limit)};
  boost::json::array hits;
  for (const auto& hit : search_sessions(root, query)) hits.push_back(describe(hit));
  return json::to_line(hits);
}

std::vector<std::string> export_session(const std::filesystem::path& session, const std::filesystem::path& file,
                                        const std::string& format, std::optional<int> revision, bool whole_timeline) {
  ExportOptions options{.format = {}, .revision = revision, .whole_timeline = whole_timeline};
  if (!format.empty()) {
    options.format = export_format(format);
    if (!options.format) {
      throw RecorderError(
          Errc::invalid_argument,
          fmt::format("There is no export format \"{}\": use txt, srt, vtt, json, md, wav or flac.", format));
    }
  }
  return dictum::export_session(session, file, options);
}

std::string list_devices(const std::string& backend) {
  return json::to_line(boost::json::value_from(dictum::list_devices(backend)));
}

std::string list_transcribers() {
  const std::string chosen = auto_transcriber();
  boost::json::array all;
  for (const InstalledTranscriber& each : dictum::list_transcribers()) {
    all.push_back(boost::json::object{
        {"name", each.name}, {"executable", each.executable.string()}, {"is_auto", each.name == chosen}});
  }
  return json::to_line(all);
}

std::string list_models() {
  constexpr std::string_view kPrefix = "ggml-";
  boost::json::array all;
  for (const std::filesystem::path& file : installed_model_files()) {
    all.push_back(boost::json::object{{"name", file.stem().string().substr(kPrefix.size())}, {"path", file.string()}});
  }
  return json::to_line(all);
}

std::string describe_settings() {
  const RecorderConfig defaults;
  const auto number = [](std::optional<double> value) {
    return value ? boost::json::value(*value) : boost::json::value(nullptr);
  };
  boost::json::array all;
  for (const Setting& each : settings()) {
    std::string name = each.name();
    std::ranges::replace(name, '.', '_');
    all.push_back(boost::json::object{{"name", name},
                                      {"help", each.help},
                                      {"default", setting_as_toml(defaults, each.name())},
                                      {"one_of", boost::json::value_from(each.one_of)},
                                      {"least", number(each.least)},
                                      {"most", number(each.most)}});
  }
  return json::to_line(all);
}

}  // namespace dictum::python
