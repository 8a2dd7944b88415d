#pragma once

#include <filesystem>

#include "dictum/event.hpp"

/// Events name files: by absolute paths in the API, relative to the session's folder in the journal, so that a session
/// can be moved.
namespace dictum::journal {

/// As the journal has it. A path outside the session stays as it is.
Event with_relative_paths(Event event, const std::filesystem::path& session);

/// As the API has it. A relative path that leads out of the session (a foreign journal's) becomes empty.
Event with_absolute_paths(Event event, const std::filesystem::path& session);

/// True for a relative path that stays below its folder.
bool is_inside(const std::filesystem::path& relative);

}  // namespace dictum::journal
