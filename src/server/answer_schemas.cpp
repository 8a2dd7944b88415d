#include "server/answer_schemas.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/mp11/algorithm.hpp>
#include <utility>

#include "dictum/command.hpp"

namespace dictum::server {
namespace {

/// An object has exactly the members that are required, unless `additionalProperties` is left out: then those of the
/// files of a session, which grow with the versions. The members are written by `session_json.cpp` and the handlers of
/// the routes.
constexpr std::string_view kSchemas = R"json({
  "Problem": {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
      "type": {"type": "string"},
      "title": {"type": "string"},
      "status": {"type": "integer"},
      "detail": {"type": "string", "description": "What happened, and what to do; one sentence."},
      "code": {"type": "string", "description": "For programs."},
      "param": {"type": "string", "description": "The field that is wrong, of a form or a message."},
      "error": {
        "type": "object",
        "description": "Below /v1/: the same as OpenAI's API writes it.",
        "required": ["message", "type", "param", "code"],
        "properties": {
          "message": {"type": "string"},
          "type": {"type": "string"},
          "param": {"type": ["string", "null"]},
          "code": {"type": ["string", "null"]}}}},
    "additionalProperties": false},
  "State": {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "ready", "rebuilt"]}},
    "additionalProperties": false},
  "Status": {
    "type": "object",
    "required": ["version", "state", "is_recording", "session"],
    "properties": {
      "version": {"type": "string"},
      "state": {"enum": ["starting", "recording", "paused", "stopping", "idle", "failed"]},
      "is_recording": {"type": "boolean"},
      "session": {"type": ["string", "null"], "description": "The newest; null before the first."}},
    "additionalProperties": false},
  "SessionEntry": {
    "type": "object",
    "required": ["session", "started_at", "duration_sec", "segments", "notes", "first_text", "is_open", "is_finished",
                 "is_readable", "problem"],
    "properties": {
      "session": {"type": "string"},
      "started_at": {"type": ["string", "null"], "format": "date-time"},
      "duration_sec": {"type": "number", "minimum": 0},
      "segments": {"type": "integer", "minimum": 0},
      "notes": {"type": "integer", "minimum": 0},
      "first_text": {"type": "string"},
      "is_open": {"type": "boolean"},
      "is_finished": {"type": "boolean"},
      "is_readable": {"type": "boolean"},
      "problem": {"type": ["string", "null"]}},
    "additionalProperties": false},
  "SessionList": {
    "type": "object",
    "required": ["sessions", "next"],
    "properties": {
      "sessions": {"type": "array", "items": {"$ref": "#/components/schemas/SessionEntry"}},
      "next": {"type": ["string", "null"], "description": "The address of the next page."}},
    "additionalProperties": false},
  "Segment": {
    "type": "object",
    "required": ["index", "start_frame", "end_frame", "speech_start_frame", "speech_end_frame", "mode", "status", "text",
                 "revision", "edited", "error", "audio"],
    "properties": {
      "index": {"type": "integer", "minimum": 0},
      "start_frame": {"type": "integer", "minimum": 0},
      "end_frame": {"type": "integer", "minimum": 0},
      "speech_start_frame": {"type": "integer", "minimum": 0},
      "speech_end_frame": {"type": "integer", "minimum": 0},
      "mode": {"enum": ["normal", "long_note"]},
      "status": {"enum": ["recording", "queued", "done", "failed", "skipped"]},
      "text": {"type": "string"},
      "revision": {"type": "integer", "minimum": -1, "description": "Of the text; -1 before the first."},
      "edited": {"type": "boolean", "description": "A person wrote the text."},
      "error": {
        "type": ["object", "null"],
        "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "additionalProperties": false},
      "audio": {"type": "string", "description": "The address of its sound."}},
    "additionalProperties": false},
  "Session": {
    "type": "object",
    "required": ["session", "started_at", "duration_sec", "notes", "first_text", "is_open", "is_finished", "is_readable",
                 "problem", "stopped_at", "sample_rate", "end_frame", "source", "segments"],
    "properties": {
      "session": {"type": "string"},
      "started_at": {"type": ["string", "null"], "format": "date-time"},
      "duration_sec": {"type": "number", "minimum": 0},
      "notes": {"type": "integer", "minimum": 0},
      "first_text": {"type": "string"},
      "is_open": {"type": "boolean"},
      "is_finished": {"type": "boolean"},
      "is_readable": {"type": "boolean"},
      "problem": {"type": ["string", "null"]},
      "stopped_at": {"type": ["string", "null"], "format": "date-time"},
      "sample_rate": {"type": "integer", "minimum": 1},
      "end_frame": {"type": "integer", "minimum": 0},
      "source": {"type": "string"},
      "segments": {"type": "array", "items": {"$ref": "#/components/schemas/Segment"}}},
    "additionalProperties": false},
  "Transcript": {
    "type": "object",
    "description": "What the manifest of the session has, and the times of its words.",
    "required": ["schema", "session", "started_at", "stopped_at", "sample_rate", "end_frame", "gaps", "segments",
                 "notes"],
    "properties": {
      "schema": {"type": "integer"},
      "session": {"type": "string"},
      "started_at": {"type": "string", "format": "date-time"},
      "stopped_at": {"type": ["string", "null"], "format": "date-time"},
      "sample_rate": {"type": "integer", "minimum": 1},
      "end_frame": {"type": "integer", "minimum": 0},
      "gaps": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["start_frame", "frames", "reason"],
          "properties": {
            "start_frame": {"type": "integer"},
            "frames": {"type": "integer"},
            "reason": {"enum": ["overflow", "device_lost", "stalled", "suspended", "paused", "disk"]}}}},
      "segments": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["index", "start_frame", "end_frame", "speech_start_sec", "speech_end_sec", "text", "status",
                       "words"],
          "properties": {
            "index": {"type": "integer", "minimum": 0},
            "start_frame": {"type": "integer"},
            "end_frame": {"type": "integer"},
            "speech_start_sec": {"type": "number"},
            "speech_end_sec": {"type": "number"},
            "text": {"type": "string"},
            "status": {"enum": ["recording", "queued", "done", "failed", "skipped", "discarded"]},
            "words": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["text", "start_frame", "end_frame", "confidence"],
                "properties": {
                  "text": {"type": "string"},
                  "start_frame": {"type": "integer"},
                  "end_frame": {"type": "integer"},
                  "confidence": {"type": "number"}}}}}}},
      "notes": {"type": "array"}}},
  "NoteList": {
    "type": "object",
    "required": ["notes"],
    "properties": {
      "notes": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["title", "text", "segments", "said_at"],
          "properties": {
            "title": {"type": "string"},
            "text": {"type": "string"},
            "segments": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "said_at": {"type": "string", "format": "date-time"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "Matches": {
    "type": "object",
    "required": ["matches"],
    "properties": {
      "matches": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["session", "segment_index", "note_title", "text", "marks", "start_frame", "end_frame",
                       "sample_rate", "said_at"],
          "properties": {
            "session": {"type": "string"},
            "segment_index": {"type": "integer", "minimum": 0},
            "note_title": {"type": ["string", "null"], "description": "Null where a segment was found."},
            "text": {"type": "string"},
            "marks": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["begin", "size"],
                "description": "Bytes of the text.",
                "properties": {
                  "begin": {"type": "integer", "minimum": 0},
                  "size": {"type": "integer", "minimum": 0}},
                "additionalProperties": false}},
            "start_frame": {"type": "integer", "minimum": 0},
            "end_frame": {"type": "integer", "minimum": 0},
            "sample_rate": {"type": "integer", "minimum": 1},
            "said_at": {"type": "string", "format": "date-time"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "Check": {
    "type": "object",
    "required": ["name", "bytes", "is_open", "is_finished", "problems", "known_losses", "repairs"],
    "properties": {
      "name": {"type": "string"},
      "bytes": {"type": "integer", "minimum": 0},
      "is_open": {"type": "boolean"},
      "is_finished": {"type": "boolean"},
      "problems": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["file", "what", "can_be_repaired"],
          "properties": {
            "file": {"type": "string"},
            "what": {"type": "string"},
            "can_be_repaired": {"type": "boolean"}},
          "additionalProperties": false}},
      "known_losses": {"type": "array", "items": {"type": "string"}},
      "repairs": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": false},
  "Deleted": {
    "type": "object",
    "required": ["deleted", "bytes"],
    "properties": {"deleted": {"type": "string"}, "bytes": {"type": "integer", "minimum": 0}},
    "additionalProperties": false},
  "Pruned": {
    "type": "object",
    "required": ["removed", "bytes", "left"],
    "properties": {
      "removed": {"type": "array", "items": {"type": "string"}},
      "bytes": {"type": "integer", "minimum": 0},
      "left": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["name", "reason"],
          "properties": {"name": {"type": "string"}, "reason": {"type": "string"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "Unfinished": {
    "type": "object",
    "required": ["sessions"],
    "properties": {
      "sessions": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["name", "reason", "is_private"],
          "properties": {
            "name": {"type": "string"},
            "reason": {"type": "string"},
            "is_private": {"type": "boolean", "description": "The folder is this user's, and nobody else can write to it."}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "Transcribers": {
    "type": "object",
    "required": ["transcribers", "configured", "where_speech_goes"],
    "properties": {
      "transcribers": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["name", "is_auto"],
          "properties": {"name": {"type": "string"}, "is_auto": {"type": "boolean"}},
          "additionalProperties": false}},
      "configured": {"type": "string"},
      "where_speech_goes": {"type": "string"}},
    "additionalProperties": false},
  "SpeechModels": {
    "type": "object",
    "required": ["models"],
    "properties": {
      "models": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["name", "size", "languages", "speed", "is_installed", "is_auto"],
          "properties": {
            "name": {"type": "string"},
            "size": {"type": ["integer", "null"], "description": "Bytes; this and the next two: null where it is not known."},
            "languages": {"type": ["string", "null"]},
            "speed": {"type": ["string", "null"]},
            "is_installed": {"type": "boolean"},
            "is_auto": {"type": "boolean"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "Devices": {
    "type": "object",
    "required": ["devices"],
    "properties": {
      "devices": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["id", "name", "description", "channels", "sample_rate", "is_default", "is_monitor", "is_muted",
                       "backend"],
          "properties": {
            "id": {"type": "string"},
            "name": {"type": "string"},
            "description": {"type": "string"},
            "channels": {"type": "integer"},
            "sample_rate": {"type": "integer"},
            "is_default": {"type": "boolean"},
            "is_monitor": {"type": "boolean"},
            "is_muted": {"type": "boolean"},
            "backend": {"type": "string"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "OpenAIModel": {
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "properties": {
      "id": {"type": "string"},
      "object": {"const": "model"},
      "created": {"type": "integer"},
      "owned_by": {"type": "string"}},
    "additionalProperties": false},
  "OpenAIModels": {
    "type": "object",
    "required": ["object", "data"],
    "properties": {
      "object": {"const": "list"},
      "data": {"type": "array", "items": {"$ref": "#/components/schemas/OpenAIModel"}}},
    "additionalProperties": false},
  "Transcription": {
    "type": "object",
    "description": "With the format verbose_json also task, language, duration, and the segments or words that were asked for.",
    "required": ["text", "usage"],
    "properties": {
      "text": {"type": "string"},
      "usage": {
        "type": "object",
        "required": ["type", "seconds"],
        "properties": {"type": {"const": "duration"}, "seconds": {"type": "number", "minimum": 0}},
        "additionalProperties": false},
      "warnings": {"type": "array", "items": {"type": "string"}},
      "task": {"const": "transcribe"},
      "language": {"type": "string"},
      "duration": {"type": "number", "minimum": 0},
      "segments": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
                       "no_speech_prob"],
          "properties": {
            "id": {"type": "integer"},
            "start": {"type": "number"},
            "end": {"type": "number"},
            "text": {"type": "string"}}}},
      "words": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["word", "start", "end"],
          "properties": {
            "word": {"type": "string"},
            "start": {"type": "number"},
            "end": {"type": "number"}},
          "additionalProperties": false}}},
    "additionalProperties": false},
  "OpenAPI": {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"]}
})json";

constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kAnswers = {{
    {"health", "State"},
    {"readiness", "State"},
    {"rebuild_search_index", "State"},
    {"status", "Status"},
    {"toggle_recording", "Status"},
    {"list_sessions", "SessionList"},
    {"get_session", "Session"},
    {"retranscribe_session", "Session"},
    {"resume_session", "Session"},
    {"get_transcript", "Transcript"},
    {"export_session", "Transcript"},
    {"edit_segment", "Segment"},
    {"list_notes", "NoteList"},
    {"search", "Matches"},
    {"verify_session", "Check"},
    {"repair_session", "Check"},
    {"delete_session", "Deleted"},
    {"prune_sessions", "Pruned"},
    {"list_unfinished", "Unfinished"},
    {"list_transcribers", "Transcribers"},
    {"list_models", "SpeechModels"},
    {"list_devices", "Devices"},
    {"openai_list_models", "OpenAIModels"},
    {"openai_get_model", "OpenAIModel"},
    {"openai_transcribe", "Transcription"},
    {"openapi", "OpenAPI"},
}};

}  // namespace

boost::json::object shared_schemas() {
  return boost::json::parse(kSchemas).as_object();
}

std::string answer_schema(std::string_view operation) {
  bool is_command = false;
  boost::mp11::mp_for_each<Command>(
      [&]<class Body>(const Body&) { is_command = is_command || Body::kName == operation; });
  if (is_command) return "Status";
  const auto* const known = std::ranges::find(kAnswers, operation, [](const auto& each) { return each.first; });
  return known == kAnswers.end() ? "" : std::string(known->second);
}

}  // namespace dictum::server
