#pragma once

#include <filesystem>

#include "audio/sound_file_reader.hpp"
#include "journal/session_folder.hpp"

namespace dictum::session {

/// Opens a sound file of a session for reading: a regular file in its folder, never what a link leads to. Throws
/// RecorderError: input_not_found where there is none, else input_unreadable.
audio::SoundFileReader open_recording(const journal::SessionFolder& folder, const std::filesystem::path& name);

}  // namespace dictum::session
