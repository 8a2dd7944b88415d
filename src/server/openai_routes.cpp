#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "dictum/error.hpp"
#include "server/problem.hpp"
#include "server/route.hpp"
#include "server/route_parts.hpp"
#include "server/transcription_service.hpp"

namespace dictum::server {
namespace {

constexpr std::uint64_t kMaxName = 100;  // bytes

boost::json::object model_of(const std::string& name) {
  return {{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "dictum"}};
}

Answer list_models(const Library& library, const Call&) {
  boost::json::array models;
  for (const std::string& name : model_names(library.config)) models.push_back(model_of(name));
  return json_response({{"object", "list"}, {"data", std::move(models)}});
}

Answer get_model(const Library& library, const Call& call) {
  const std::string name = call.text("model");
  const auto names = model_names(library.config);
  if (std::ranges::find(names, name) != names.end()) return json_response(model_of(name));
  return problem(404, "model_not_found",
                 fmt::format("There is no model \"{}\" here: GET /v1/models lists what there is.", excerpt(name)));
}

boost::json::object choice(boost::json::array values) {
  return {{"type", "string"}, {"enum", std::move(values)}};
}

boost::json::object form_schema() {
  const boost::json::object text{{"type", "string"}};
  return {{"type", "object"},
          {"required", {"file"}},
          {"additionalProperties", false},
          {"properties",
           {{"file", {{"type", "string"}, {"format", "binary"}}},
            {"model", text},
            {"language", text},
            {"prompt", text},
            {"keywords[]", {{"type", "array"}, {"items", text}}},
            {"response_format", choice({"json", "text", "srt", "vtt", "verbose_json"})},
            {"temperature", {{"type", "number"}, {"const", 0}}},
            {"timestamp_granularities[]", {{"type", "array"}, {"items", choice({"word", "segment"})}}},
            {"stream", {{"type", "boolean"}}},
            {"chunking_strategy", choice({"auto"})}}}};
}

}  // namespace

std::vector<Route> make_openai_routes() {
  using Runs = Route::Runs;
  return {
      {.method = "GET",
       .pattern = "/v1/models",
       .name = "openai_list_models",
       .scope = Scope::transcribe,
       .runs = Runs::where_it_may_block,
       .summary = "The names by which the configured transcriber can be asked for, as OpenAI's API lists models",
       .parameters = {},
       .produces = {kJSON},
       .handler = list_models},
      {.method = "GET",
       .pattern = "/v1/models/{model}",
       .name = "openai_get_model",
       .scope = Scope::transcribe,
       .runs = Runs::where_it_may_block,
       .summary = "One of them",
       .parameters = {{.name = "model",
                       .in = Parameter::In::path,
                       .type = Parameter::Type::text,
                       .about = "Its name.",
                       .is_required = true,
                       .max = kMaxName}},
       .produces = {kJSON},
       .handler = get_model},
      {.method = "POST",
       .pattern = "/v1/audio/transcriptions",
       .name = "openai_transcribe",
       .scope = Scope::transcribe,
       .runs = Runs::on_loop,
       .summary = "Transcribe a sound file, as OpenAI's API does; nothing of it is kept",
       .parameters = {},
       .produces = {kJSON, "text/plain; charset=utf-8", "application/x-subrip; charset=utf-8",
                    "text/vtt; charset=utf-8", "text/event-stream"},
       .body_schema = form_schema(),
       .handler = [](const Library&, const Call&) -> Answer { return TranscribeForm{}; },
       .takes_form = true},
      {.method = "GET",
       .pattern = "/v1/realtime",
       .name = "openai_realtime",
       .scope = Scope::transcribe,
       .runs = Runs::on_loop,
       .summary = "Transcribe audio as it is spoken, by OpenAI's Realtime API, as a session of its own; a WebSocket",
       .parameters = {{.name = "intent",
                       .in = Parameter::In::query,
                       .type = Parameter::Type::choice,
                       .about = "Only transcription is possible.",
                       .choices = {"transcription"}},
                      {.name = "model",
                       .in = Parameter::In::query,
                       .type = Parameter::Type::text,
                       .about = "One of /v1/models.",
                       .max = kMaxName}},
       .produces = {kJSON},
       .handler = [](const Library&, const Call& call) -> Answer { return TranscribeRealtime{call.text("model")}; },
       .websocket = Route::WebSocket::required},
  };
}

}  // namespace dictum::server
