#pragma once

#include <filesystem>
#include <optional>

#include "dictum/export.hpp"
#include "dictum/frame.hpp"
#include "dictum/source.hpp"

namespace dictum {

/// What a sound file says of itself.
struct SoundFileInfo {
  AudioFormat format;
  std::optional<Frame> frames;  ///< as announced, for a progress bar; empty where the file does not say
};

/// Opens a sound file of any kind that `capture.input` takes. May start a decoder. Errors: RecorderError,
/// `input_not_found` or `input_unreadable`. Thread safety: any thread.
DICTUM_API SoundFileInfo sound_file_info(const std::filesystem::path& path);

}  // namespace dictum
