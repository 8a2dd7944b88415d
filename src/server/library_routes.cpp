#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/json_fields.hpp"
#include "base/scratch_folder.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "server/problem.hpp"
#include "server/route_parts.hpp"

namespace dictum::server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxRevision = 1'000'000;
constexpr std::uint64_t kMaxNotes = 100'000;

struct Exported {
  const char* format;
  const char* media_type;
};
constexpr std::array<Exported, 7> kExports = {{{"wav", "audio/wav"},
                                               {"flac", "audio/flac"},
                                               {"txt", "text/plain; charset=utf-8"},
                                               {"srt", "application/x-subrip; charset=utf-8"},
                                               {"vtt", "text/vtt; charset=utf-8"},
                                               {"md", "text/markdown; charset=utf-8"},
                                               {"json", "application/json"}}};

/// Fields of a body, each of which may be there or not, and no others. None is null: what is not known is left out.
json::Fields fields_of(const boost::json::value& body, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : body.as_object()) {
    if (std::ranges::find(known, std::string_view(key)) == known.end()) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("There is no field \"{}\" here: leave it out.", std::string_view(key)));
    }
    if (value.is_null()) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("\"{}\" is null: give a value, or leave it out.", std::string_view(key)));
    }
  }
  return {body, "the body", [](const std::string& sentence) { throw RecorderError(Errc::invalid_argument, sentence); }};
}

// What is read

Answer export_it(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  const std::string wanted = call.text("format");
  const auto* const kind = std::ranges::find_if(kExports, [&](const Exported& each) { return each.format == wanted; });
  ExportOptions options{.format = export_format(wanted)};
  if (call.find("revision") != nullptr) options.revision = static_cast<int>(call.number("revision"));
  options.whole_timeline = call.text("extent") == "timeline";
  // Beside the sessions, as it may be larger than the memory that /tmp often is. Open, it outlives its name.
  const ScratchFolder scratch(library.root);
  const fs::path file = scratch.path() / ("export." + wanted);
  const std::vector<std::string> missing = export_session(path, file, options);
  UniqueFD opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) {
    throw RecorderError(Errc::output_unwritable, fmt::format("The export '{}' cannot be read again.", file.string()));
  }
  Response response{.content_type = kind->media_type, .body = {}, .headers = {}};
  response.with("Content-Disposition", fmt::format("attachment; filename=\"{}.{}\"", call.text("session"), wanted));
  add_warnings(response, missing);
  response.body = FileSlice{std::move(opened), 0, static_cast<std::uint64_t>(status.st_size)};
  return response;
}

Answer note(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  const std::vector<SessionNote> notes = session_notes(path);
  const std::uint64_t index = call.number("note");
  if (index >= notes.size()) {
    throw RecorderError(Errc::input_not_found, fmt::format("The session {} has {} notes, counted from 0.",
                                                           call.text("session"), notes.size()));
  }
  return Response{
      .content_type = "text/markdown; charset=utf-8", .body = read_note(path, notes.at(index)), .headers = {}};
}

Answer unfinished(const Library& library, const Call&) {
  boost::json::array all;
  for (const UnfinishedSession& each : find_unfinished_sessions(library.root)) {
    all.push_back({{"name", each.path.filename().string()}, {"reason", each.reason}, {"is_private", each.is_private}});
  }
  return json_response({{"sessions", std::move(all)}});
}

boost::json::array texts_of(const std::vector<std::string>& texts) {
  boost::json::array all;
  for (const std::string& each : texts) all.emplace_back(each);
  return all;
}

Response check_response(const SessionCheck& check, const fs::path& session) {
  boost::json::array problems;
  for (const SessionProblem& each : check.problems) {
    problems.push_back({{"file", each.file}, {"what", each.what}, {"can_be_repaired", each.can_be_repaired}});
  }
  return json_response({{"name", check.name},
                        {"bytes", session_size(session)},
                        {"is_open", check.is_open},
                        {"is_finished", check.is_finished},
                        {"problems", std::move(problems)},
                        {"known_losses", texts_of(check.known_losses)},
                        {"repairs", texts_of(check.repairs)}});
}

Answer verify(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  return check_response(verify_session(path), path);
}

// What changes sessions

Answer repair(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  const boost::json::value body = body_of(call, "nothing in it");
  fields_of(body, {});
  return check_response(repair_session(path), path);
}

Answer remove(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  const std::uintmax_t bytes = session_size(path);
  delete_session(path);
  return json_response({{"deleted", call.text("session")}, {"bytes", bytes}});
}

Answer prune(const Library& library, const Call& call) {
  const boost::json::value body = body_of(call, "what to delete");
  const json::Fields fields = fields_of(body, {"before", "older_than", "keep_notes", "dry_run"});
  const auto before = parse_iso_time(fields.text_or("before", ""));
  const auto age = parse_age(fields.text_or("older_than", ""));
  // Whichever is there has to be right: what is deleted depends on it.
  const bool is_wrong = body.as_object().contains("before") != before.has_value() ||
                        body.as_object().contains("older_than") != age.has_value();
  if (is_wrong || before.has_value() == age.has_value()) {
    throw RecorderError(Errc::invalid_argument,
                        "Say which sessions are old, in one of two ways: \"before\", a time in UTC like "
                        "2026-11-22T15:45:01Z, or \"older_than\", an age like 90d.");
  }
  const Pruned pruned = prune_sessions(
      library.root, {.before = before ? *before
                                      : std::chrono::system_clock::now() -
                                            std::chrono::duration_cast<std::chrono::system_clock::duration>(*age),
                     .keep_notes = fields.flag_or("keep_notes", true),
                     .dry_run = fields.flag_or("dry_run", false),
                     .goes_on = [&library] { return !library.status().is_stopping; }});
  boost::json::array removed;
  for (const fs::path& each : pruned.removed) removed.emplace_back(each.filename().string());
  boost::json::array left;
  for (const Pruned::Left& each : pruned.left) {
    left.push_back({{"name", each.session.filename().string()}, {"reason", each.reason}});
  }
  return json_response({{"removed", std::move(removed)}, {"bytes", pruned.bytes}, {"left", std::move(left)}});
}

Answer rebuild_index(const Library& library, const Call& call) {
  const boost::json::value body = body_of(call, "nothing in it");
  fields_of(body, {});
  rebuild_search_index(library.root);
  return json_response({{"status", "rebuilt"}});
}

Answer retranscribe(const Library& library, const Call& call) {
  const boost::json::value body = body_of(call, "how to transcribe");
  const json::Fields fields = fields_of(body, {"transcriber", "model", "language", "replace_edits"});
  TranscribeSession again{.session = session_of(library, call),
                          .texts = fields.flag_or("replace_edits", false) ? TranscribeSession::Texts::all_and_edits
                                                                          : TranscribeSession::Texts::all};
  again.transcriber = fields.text_or("transcriber", "");
  again.model = fields.text_or("model", "");
  again.language = fields.text_or("language", "");
  // A client says which model by its name; which files there are is nothing that it may find out.
  if (again.model.find('/') != std::string::npos) {
    throw RecorderError(Errc::invalid_argument, "\"model\" has to be the name of a model, not a file.");
  }
  return again;
}

Answer resume(const Library& library, const Call& call) {
  const boost::json::value body = body_of(call, "\"retry_failed\", or nothing");
  const json::Fields fields = fields_of(body, {"retry_failed"});
  return TranscribeSession{.session = session_of(library, call),
                           .texts = fields.flag_or("retry_failed", false) ? TranscribeSession::Texts::missing_and_failed
                                                                          : TranscribeSession::Texts::missing};
}

boost::json::object object_schema(boost::json::object properties) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

}  // namespace

std::vector<Route> make_library_routes() {
  constexpr auto kMayBlock = Route::Runs::where_it_may_block;
  constexpr auto kMayTakeLong = Route::Runs::where_it_may_take_long;
  const std::string in_session = "/api/v1/sessions/{session}";
  const boost::json::object flag{{"type", "boolean"}};
  const boost::json::object word{{"type", "string"}};
  std::vector<std::string> formats;
  std::vector<std::string> types;
  for (const Exported& each : kExports) {
    formats.emplace_back(each.format);
    types.emplace_back(each.media_type);
  }
  Parameter format = choice("format", std::move(formats), "What of it: sound, or text.");
  format.is_required = true;

  return {
      {"GET",
       in_session + "/export",
       "export_session",
       Scope::library,
       kMayTakeLong,
       "A session as one file",
       {session_parameter(), std::move(format),
        number("revision", Parameter::In::query, 0, kMaxRevision, "Of texts: the newest that are not newer than that."),
        choice("extent", {"kept", "timeline"}, "Of sound: the segments, or all of it with silence between them.")},
       std::move(types),
       {},
       export_it},
      {"GET",
       in_session + "/notes/{note}",
       "get_note",
       Scope::library,
       kMayBlock,
       "The file of a note, in Markdown",
       {session_parameter(), number("note", Parameter::In::path, 0, kMaxNotes, "Its place in the list, from 0.")},
       {"text/markdown; charset=utf-8"},
       {},
       note},
      {"GET",
       in_session + "/verification",
       "verify_session",
       Scope::library,
       kMayTakeLong,
       "Compare every file of a session with its journal",
       {session_parameter()},
       {kJSON},
       {},
       verify},
      {"POST",
       in_session + "/repair",
       "repair_session",
       Scope::control,
       kMayTakeLong,
       "Make again what can be made from the journal and the sound",
       {session_parameter()},
       {kJSON},
       object_schema({}),
       repair},
      {"DELETE",
       in_session,
       "delete_session",
       Scope::control,
       kMayBlock,
       "Delete a session for good, with its audio",
       {session_parameter()},
       {kJSON},
       {},
       remove},
      {"POST",
       in_session + "/retranscribe",
       "retranscribe_session",
       Scope::control,
       Route::Runs::where_it_may_block,
       "Transcribe a session again, each text a new revision; the answer comes once all is done",
       {session_parameter()},
       {kJSON},
       object_schema({{"transcriber", word}, {"model", word}, {"language", word}, {"replace_edits", flag}}),
       retranscribe},
      {"POST",
       in_session + "/resume",
       "resume_session",
       Scope::control,
       kMayBlock,
       "Finish a session: transcribe what has no text; the answer comes once all is done",
       {session_parameter()},
       {kJSON},
       object_schema({{"retry_failed", flag}}),
       resume},
      {"GET",
       "/api/v1/unfinished",
       "list_unfinished",
       Scope::library,
       kMayBlock,
       "Sessions that are not finished, and why; but for those that are being worked on",
       {},
       {kJSON},
       {},
       unfinished},
      {"POST",
       "/api/v1/prune",
       "prune_sessions",
       Scope::control,
       kMayTakeLong,
       "Delete old sessions for good; those that are open or unfinished stay",
       {},
       {kJSON},
       object_schema({{"before", {{"type", "string"}, {"format", "date-time"}}},
                      {"older_than", {{"type", "string"}, {"pattern", "^[0-9]+[mhdw]$"}}},
                      {"keep_notes", flag},
                      {"dry_run", flag}}),
       prune},
      {"POST",
       "/api/v1/search/rebuild",
       "rebuild_search_index",
       Scope::control,
       kMayTakeLong,
       "Make the search index again",
       {},
       {kJSON},
       object_schema({}),
       rebuild_index},
  };
}

}  // namespace dictum::server
