#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/command.hpp"
#include "dictum/config.hpp"
#include "server/event_cursor.hpp"
#include "server/request.hpp"
#include "server/response.hpp"
#include "server/scope.hpp"

/// The API as data: what requests are routed by, and what the OpenAPI document is written from.
namespace dictum::server {

/// A parameter of a path ("{session}"), of a query, or a header. The handler reads its headers itself.
struct Parameter {
  enum class In { path, query, header };
  enum class Type { session, number, text, time, choice, cursor, event_types };

  std::string name;
  In in{};
  Type type{};
  std::string about;
  bool is_required = false;  ///< those of a path always are
  std::uint64_t min = 0;     ///< of a number
  std::uint64_t max = 0;
  std::vector<std::string> choices = {};  ///< of a choice
};

/// A request for one route, whose parameters are what the route says.
struct Call {
  const Request* request{};  ///< outlives the call
  std::map<std::string, std::string, std::less<>> parameters;

  const std::string* find(std::string_view name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? nullptr : &found->second;
  }
  std::string text(std::string_view name) const {
    const std::string* const found = find(name);
    return found == nullptr ? "" : *found;
  }
  std::uint64_t number(std::string_view name, std::uint64_t otherwise = 0) const;
};

/// A stream of events is wanted.
struct FollowEvents {
  std::optional<EventCursor> after;
  std::set<std::string, std::less<>> types;
};

/// A stream of audio is wanted.
struct ReceiveAudio {};

/// The form with a sound file, which is the body, is to be read and transcribed.
struct TranscribeForm {};

/// A session of transcription by OpenAI's Realtime API is wanted.
struct TranscribeRealtime {
  std::string model;  ///< empty: the client may name one later
};

/// A session of the library is transcribed; then `session_response` answers.
struct TranscribeSession {
  enum class Texts { missing, missing_and_failed, all, all_and_edits };  ///< `all`: but for those that a person wrote

  std::filesystem::path session;
  Texts texts{};
  std::string transcriber = {};  ///< this and the next: as the settings; empty: as the server's
  std::string model = {};
  std::string language = {};
};

/// What a request leads to: a response, or what has to be done for one.
using Answer =
    std::variant<Response, Command, FollowEvents, ReceiveAudio, TranscribeForm, TranscribeRealtime, TranscribeSession>;

/// The recorder as the API shows it.
struct Status {
  RecordingState state = RecordingState::idle;
  bool is_recording = false;
  std::string session;  ///< the newest; empty before the first
  bool is_stopping = false;
};

/// What handlers need. Lives as long as the router; `status` is safe from any thread.
struct Library {
  std::filesystem::path root;
  std::function<Status()> status;
  RecorderConfig config = {};
  std::function<std::string()> metrics = {};  ///< on the loop's thread
};

struct Route {
  enum class Runs { on_loop, where_it_may_block, where_it_may_take_long };  ///< the last: only few at once
  enum class WebSocket { never, possible, required };

  std::string method;
  std::string pattern;  ///< "/api/v1/sessions/{session}"
  std::string name;     ///< of the operation, as in code
  Scope scope{};
  Runs runs{};
  std::string summary;
  std::vector<Parameter> parameters;
  std::vector<std::string> produces;  ///< media types; the first is what a client without a wish gets
  std::optional<boost::json::object> body_schema = std::nullopt;  ///< of the JSON that the request may carry

  /// Throws RecorderError, which becomes a problem.
  std::function<Answer(const Library&, const Call&)> handler = {};

  WebSocket websocket = WebSocket::never;  ///< whether the request may ask for one
  bool takes_form = false;                 ///< the body is a form with a file, which the schema is of; it is read later
};

/// What the recorder is doing.
Response status_response(const Library& library);

/// Those about this machine: what can be chosen.
std::vector<Route> make_machine_routes();

/// Those of the OpenAI-compatible API.
std::vector<Route> make_openai_routes();

/// Every route of the server but `/openapi.json`, which is about them.
std::vector<Route> make_routes();

}  // namespace dictum::server
