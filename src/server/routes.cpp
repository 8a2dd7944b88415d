#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/mp11/algorithm.hpp>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "journal/session_folder.hpp"
#include "server/byte_range.hpp"
#include "server/command_schema.hpp"
#include "server/event_feed.hpp"
#include "server/media_type.hpp"
#include "server/metrics.hpp"
#include "server/problem.hpp"
#include "server/route.hpp"
#include "server/route_parts.hpp"
#include "server/session_json.hpp"
#include "wire/command_json.hpp"

namespace dictum::server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxPage = 200;
constexpr std::uint64_t kPage = 50;
constexpr std::uint64_t kMaxQuery = 1000;  // bytes
constexpr std::uint64_t kMaxIndex = std::numeric_limits<std::uint32_t>::max();

// Operation

Answer health(const Library&, const Call&) {
  return json_response({{"status", "ok"}});
}

/// A recording can be started: the server is not about to end, and the folder of the sessions can be written, or made.
Answer readiness(const Library& library, const Call&) {
  if (library.status().is_stopping) {
    return stopping_problem();
  }
  fs::path folder = library.root;
  std::error_code error;
  while (!fs::exists(folder, error) && !error && folder.has_relative_path()) folder = folder.parent_path();
  if (error || !fs::is_directory(folder, error) || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    return problem(Errc::output_unwritable,
                   fmt::format("Sessions cannot be written to '{}': make the folder writable, or start the server with "
                               "another --output-dir.",
                               library.root.string()));
  }
  return json_response({{"status", "ready"}});
}

Answer status(const Library& library, const Call&) {
  return status_response(library);
}

Answer metrics(const Library& library, const Call&) {
  return Response{.content_type = Metrics::kMediaType, .body = library.metrics(), .headers = {}};
}

// Commands

Answer command(std::string_view name, const Call& call) {
  boost::json::object fields = body_of(call, "the fields of the command");
  if (fields.contains("command")) {
    throw RecorderError(Errc::invalid_argument, "The address names the command: leave \"command\" out of the body.");
  }
  fields["command"] = name;
  return wire::parse_command(json::to_line(fields));
}

template <class Body>
Route command_route() {
  return {.method = "POST",
          .pattern = fmt::format("/api/v1/commands/{}", Body::kName),
          .name = std::string(Body::kName),
          .scope = Scope::control,
          .runs = Route::Runs::on_loop,
          .summary = std::string(Body::kSummary),
          .parameters = {},
          .produces = {kJSON},
          .body_schema = command_schema<Body>(),
          .handler = [](const Library&, const Call& call) { return command(Body::kName, call); }};
}

/// Decided here, when the request comes: a client that asks first and commands then may find another state.
Answer toggle(const Library& library, const Call& call) {
  Answer start = command(StartRecording::kName, call);
  return library.status().is_recording ? Command(StopRecording{}) : std::move(start);
}

Route toggle_route() {
  Route route = command_route<StartRecording>();
  route.pattern = "/api/v1/commands/toggle_recording";
  route.name = "toggle_recording";
  route.summary = "Begin a recording, or end the one that there is";
  route.handler = toggle;
  return route;
}

// Events

Answer events(const Library& library, const Call& call) {
  FollowEvents follow;
  std::string after = call.text("after");
  if (const std::string* const last = call.request->header("Last-Event-ID"); last != nullptr && !last->empty()) {
    after = *last;
  }
  if (!after.empty()) {
    follow.after = parse_event_cursor(after);
    if (!follow.after) {
      throw RecorderError(Errc::invalid_argument,
                          "The header \"Last-Event-ID\" is not the id of an event of this server.");
    }
    for (const Position& each : *follow.after) {
      if (!each.session.empty()) session_of(library, each.session);
    }
  }
  const std::string wanted = call.text("types");
  for (const EventType& type : event_types()) {
    const bool is_wanted = wanted.empty()
                               ? !type.is_ephemeral
                               : ("," + wanted + ",").find("," + std::string(type.name) + ",") != std::string::npos;
    if (is_wanted) follow.types.emplace(type.name);
  }
  return follow;
}

// The library

/// The order of names: by their time, then "-9" before "-10".
auto order_of(const std::string& name) {
  return std::tuple(name.substr(0, 15), name.size(), name);
}

Answer sessions(const Library& library, const Call& call) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(library.root, error);
  const std::string before = call.text("before");
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (!journal::is_session_name(name) || !fs::is_directory(entry->symlink_status(ignored))) continue;
    if (before.empty() || order_of(name) < order_of(before)) names.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The folder '{}' cannot be read: {}.", library.root.string(), error.message()));
  }
  const std::size_t count = std::min<std::size_t>(names.size(), call.number("limit", kPage));
  std::ranges::partial_sort(names, names.begin() + static_cast<std::ptrdiff_t>(count),
                            [](const auto& a, const auto& b) { return order_of(a) > order_of(b); });
  boost::json::array page;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      page.push_back(to_json(session_entry(library.root / names[i])));
    } catch (const RecorderError& gone) {  // deleted meanwhile
      if (gone.code() != Errc::input_not_found) throw;
    }
  }
  boost::json::value next = nullptr;
  if (count < names.size()) {
    next = fmt::format("/api/v1/sessions?before={}&limit={}", names[count - 1], call.number("limit", kPage));
  }
  return json_response({{"sessions", std::move(page)}, {"next", std::move(next)}});
}

Answer session(const Library& library, const Call& call) {
  return session_response(session_of(library, call));
}

struct TextKind {
  const char* format;
  const char* media_type;
};
constexpr std::array<TextKind, 5> kTextKinds = {{{"json", "application/json"},
                                                 {"txt", "text/plain; charset=utf-8"},
                                                 {"srt", "application/x-subrip; charset=utf-8"},
                                                 {"vtt", "text/vtt; charset=utf-8"},
                                                 {"md", "text/markdown; charset=utf-8"}}};

Answer transcript(const Library& library, const Call& call) {
  const std::string format = call.text("format");
  const std::string* const accept = call.request->header("Accept");
  const auto kind = std::ranges::find_if(kTextKinds, [&](const TextKind& each) {
    return format.empty() ? accept == nullptr || accepts(*accept, essence(each.media_type)) : format == each.format;
  });
  if (kind == kTextKinds.end()) throw RecorderError(Errc::internal, "No format fits, though one was accepted.");
  const fs::path path = session_of(library, call);
  std::string text = export_text(path, *export_format(kind->format));
  return Response{.content_type = kind->media_type, .body = std::move(text), .headers = {}};
}

bool is_wav(int file) {
  std::array<char, 12> begin{};
  if (::pread(file, begin.data(), begin.size(), 0) != static_cast<ssize_t>(begin.size())) return false;
  const std::string_view text(begin.data(), begin.size());
  return text.starts_with("RIFF") && text.ends_with("WAVE");
}

Answer segment_audio(const Library& library, const Call& call) {
  const journal::SessionFolder folder(session_of(library, call));
  const auto index = static_cast<std::uint32_t>(call.number("segment"));
  UniqueFD file = folder.try_open(journal::segment_file(index), O_RDONLY);
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    throw RecorderError(Errc::input_not_found,
                        fmt::format("The session {} has no sound of a segment {}.", call.text("session"), index));
  }
  if (!is_wav(file.get())) {  // a second name of a file that is none of the session's, say
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The file of segment {} of the session {} is no WAV file: `dictum sessions verify` "
                                    "says what is wrong with the session.",
                                    index, call.text("session")));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string tag = fmt::format("\"{:x}-{:x}-{:x}\"", size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  std::variant<WholeFile, ByteRange, Unsatisfiable> range = WholeFile{};
  const std::string* const condition = call.request->header("If-Range");
  const std::string* const wanted = call.request->header("Range");
  if (wanted != nullptr && (condition == nullptr || *condition == tag)) range = parse_byte_range(*wanted, size);
  if (std::holds_alternative<Unsatisfiable>(range)) {
    return problem(416, "range_not_satisfiable",
                   fmt::format("The sound has {} bytes, and the range begins behind them.", size))
        .with("Content-Range", fmt::format("bytes */{}", size));
  }
  Response response{.content_type = "audio/wav", .body = {}, .headers = {}};
  response.with("Accept-Ranges", "bytes").with("ETag", tag);
  if (const auto* part = std::get_if<ByteRange>(&range)) {
    response.status = 206;
    response.with("Content-Range", fmt::format("bytes {}-{}/{}", part->first, part->first + part->size - 1, size));
    response.body = FileSlice{std::move(file), part->first, part->size};
  } else {
    response.body = FileSlice{std::move(file), 0, size};
  }
  return response;
}

Answer edit_segment(const Library& library, const Call& call) {
  const fs::path path = session_of(library, call);
  const boost::json::object body = body_of(call, "the \"text\"");
  const boost::json::value* const text = body.if_contains("text");
  if (body.size() != 1 || text == nullptr || !text->is_string()) {
    throw RecorderError(Errc::invalid_argument, R"(The body has to be the text alone: {"text":"what was said"}.)");
  }
  const auto index = static_cast<std::uint32_t>(call.number("segment"));
  edit_session(path, index, std::string_view(text->as_string()));
  const SessionTranscript edited = open_session(path);
  return json_response(to_json(edited.segment(index), edited));
}

Answer notes(const Library& library, const Call& call) {
  boost::json::array all;
  for (const SessionNote& note : open_session(session_of(library, call)).notes) all.push_back(to_json(note));
  return json_response({{"notes", std::move(all)}});
}

Answer search(const Library& library, const Call& call) {
  SessionSearch wanted{.text = call.text("q"),
                       .from = parse_iso_time(call.text("from")),
                       .before = parse_iso_time(call.text("before")),
                       .session = call.text("session"),
                       .limit = call.number("limit", kPage)};
  if (const std::string scope = call.text("scope"); scope == "segments") {
    wanted.scope = SessionSearch::Scope::segments;
  } else if (scope == "notes") {
    wanted.scope = SessionSearch::Scope::notes;
  }
  boost::json::array matches;
  for (const SessionMatch& match : search_sessions(library.root, wanted)) matches.push_back(to_json(match));
  return json_response({{"matches", std::move(matches)}});
}

std::vector<std::string> text_types() {
  std::vector<std::string> types;
  for (const TextKind& kind : kTextKinds) types.emplace_back(kind.media_type);
  return types;
}

}  // namespace

Response status_response(const Library& library) {
  const Status status = library.status();
  return json_response(
      {{"version", DICTUM_VERSION},
       {"state", to_string(status.state)},
       {"is_recording", status.is_recording},
       {"session", status.session.empty() ? boost::json::value(nullptr) : boost::json::value(status.session)}});
}

std::vector<Route> make_routes() {
  using Type = Parameter::Type;
  constexpr auto kOnLoop = Route::Runs::on_loop;
  constexpr auto kMayBlock = Route::Runs::where_it_may_block;
  const std::string in_session = "/api/v1/sessions/{session}";
  Parameter text = query("q", Type::text, "Words, all of them; the beginning of one (trans*); a phrase in quotes.");
  text.max = kMaxQuery;

  std::vector<Route> routes = {
      {"GET", "/healthz", "health", Scope::none, kOnLoop, "Whether the server answers", {}, {kJSON}, {}, health},
      {"GET",
       "/readyz",
       "readiness",
       Scope::none,
       kMayBlock,
       "Whether a recording can be started",
       {},
       {kJSON},
       {},
       readiness},
      {"GET",
       "/metrics",
       "metrics",
       Scope::listen,
       kOnLoop,
       "Numbers for Prometheus",
       {},
       {Metrics::kMediaType},
       {},
       metrics},
      {"GET",
       "/api/v1/status",
       "status",
       Scope::listen,
       kOnLoop,
       "What the recorder is doing",
       {},
       {kJSON},
       {},
       status},
      {"GET",
       "/api/v1/events",
       "events",
       Scope::listen,
       kMayBlock,
       "Follow the events of the recorder",
       {query("after", Type::cursor,
              "Where to go on: the id of the last event that was received, or the last sequence of the newest session, "
              "or "
              "-1 for all of it. Left out: what happens from now on."),
        query("types", Type::event_types, "The types of events that are sent. Left out: all that are journaled."),
        header("Last-Event-ID", "The same as \"after\", and goes before it: a browser sends it by itself.")},
       {"text/event-stream"},
       {},
       events,
       Route::WebSocket::possible},
      {"GET",
       "/api/v1/stream",
       "stream",
       Scope::transcribe,
       kOnLoop,
       "Record a microphone elsewhere, as a session of its own; a WebSocket. Its audio is samples of 16 bits, 32-bit "
       "floats "
       "or packets of Opus",
       {},
       {kJSON},
       {},
       [](const Library&, const Call&) -> Answer { return ReceiveAudio{}; },
       Route::WebSocket::required},
      {"GET",
       "/api/v1/sessions",
       "list_sessions",
       Scope::library,
       kMayBlock,
       "List sessions, the newest first",
       {number("limit", Parameter::In::query, 1, kMaxPage, "Sessions on a page; 50 if left out."),
        query("before", Type::session, "Only sessions that began before this one.")},
       {kJSON},
       {},
       sessions},
      {"GET",
       in_session,
       "get_session",
       Scope::library,
       kMayBlock,
       "A session with its segments",
       {session_parameter()},
       {kJSON},
       {},
       session},
      {"GET",
       in_session + "/transcript",
       "get_transcript",
       Scope::library,
       kMayBlock,
       "What was said, as text, subtitles, Markdown or JSON with the words' times",
       {session_parameter(),
        choice("format", {"json", "txt", "srt", "vtt", "md"}, "Left out: the first that is accepted.")},
       text_types(),
       {},
       transcript},
      {"GET",
       in_session + "/segments/{segment}/audio",
       "get_segment_audio",
       Scope::library,
       kMayBlock,
       "The sound of a segment; one range of bytes can be asked for",
       {session_parameter(), number("segment", Parameter::In::path, 0, kMaxIndex, "The segment's index."),
        header("Range", "One range of bytes, like bytes=44-1043. Another kind of range is the whole."),
        header("If-Range", "The ETag of the sound that the range is of; the whole where it has changed since.")},
       {"audio/wav"},
       {},
       segment_audio},
      {"POST",
       in_session + "/segments/{segment}/text",
       "edit_segment",
       Scope::control,
       kMayBlock,
       "Correct the text of a segment, as a new revision; notes and transcripts follow",
       {session_parameter(), number("segment", Parameter::In::path, 0, kMaxIndex, "The segment's index.")},
       {kJSON},
       boost::json::object{{"type", "object"},
                           {"properties", {{"text", {{"type", "string"}}}}},
                           {"additionalProperties", false},
                           {"required", boost::json::array{"text"}}},
       edit_segment},
      {"GET",
       in_session + "/notes",
       "list_notes",
       Scope::library,
       kMayBlock,
       "The notes of a session",
       {session_parameter()},
       {kJSON},
       {},
       notes},
      {"GET",
       "/api/v1/search",
       "search",
       Scope::library,
       kMayBlock,
       "Find what was said, the newest first",
       {text, choice("scope", {"everything", "segments", "notes"}, "Where to search; everything if left out."),
        query("from", Type::time, "Said at this moment or later."),
        query("before", Type::time, "Said before this moment."),
        query("session", Type::session, "Only in this session."),
        number("limit", Parameter::In::query, 1, kMaxPage, "Matches at most; 50 if left out.")},
       {kJSON},
       {},
       search},
  };
  std::ranges::move(make_library_routes(), std::back_inserter(routes));
  boost::mp11::mp_for_each<Command>([&]<class Body>(const Body&) { routes.push_back(command_route<Body>()); });
  routes.push_back(toggle_route());
  return routes;
}

}  // namespace dictum::server
