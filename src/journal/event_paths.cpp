#include "journal/event_paths.hpp"

#include <algorithm>
#include <string>

namespace dictum::journal {
namespace {

namespace fs = std::filesystem;

std::string* path_in(Event& event) {
  if (auto* queued = std::get_if<TranscriptionQueued>(&event.body)) return &queued->wav_path;
  if (auto* completed = std::get_if<NoteCompleted>(&event.body)) return &completed->path;
  if (auto* cancelled = std::get_if<NoteCancelled>(&event.body)) return &cancelled->path;
  return nullptr;
}

}  // namespace

bool is_inside(const fs::path& relative) {
  return !relative.empty() && relative.is_relative() && std::ranges::find(relative, "..") == relative.end();
}

Event with_relative_paths(Event event, const fs::path& session) {
  if (std::string* path = path_in(event); path != nullptr && fs::path(*path).is_absolute()) {
    const fs::path relative = fs::path(*path).lexically_relative(session);
    if (is_inside(relative)) *path = relative.string();
  }
  return event;
}

Event with_absolute_paths(Event event, const fs::path& session) {
  if (std::string* path = path_in(event); path != nullptr && !path->empty() && fs::path(*path).is_relative()) {
    *path = is_inside(*path) ? (session / *path).string() : std::string();
  }
  return event;
}

}  // namespace dictum::journal
