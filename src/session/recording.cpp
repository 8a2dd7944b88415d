#include "session/recording.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::session {

audio::SoundFileReader open_recording(const journal::SessionFolder& folder, const std::filesystem::path& name) {
  const std::filesystem::path path = folder.path() / name;
  UniqueFD file = folder.try_open(name, O_RDONLY);
  if (!file && errno == ENOENT) {
    throw RecorderError(Errc::input_not_found, fmt::format("There is no file '{}' any longer.", path.string()));
  }
  try {
    if (!file) file = folder.open(name, O_RDONLY);  // which says what is wrong with it
  } catch (const RecorderError& error) {
    throw RecorderError(Errc::input_unreadable, error.what());
  }
  return {std::move(file), path};
}

}  // namespace dictum::session
