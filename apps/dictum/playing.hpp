#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

#include "dictum/error.hpp"
#include "session/manifest.hpp"

namespace dictum::program {

/// What of a session is played, and who is notified.
struct PlayRequest {
  std::filesystem::path session;
  Frame from = 0;
  std::optional<std::uint32_t> only;  ///< just that segment
  std::function<void(const session::Segment&, Frame start)> on_segment;
  std::function<void(const RecorderError&)> on_missing;  ///< a segment whose sound cannot be read; the next one follows
};

/// The first frame of a segment that was kept. Throws RecorderError(input_not_found).
Frame start_of(const session::Manifest& manifest, std::uint32_t segment);

/// Plays what was kept, with at most a second of each pause between. Blocks until all was played or a stop is asked
/// for; false where there is nothing from there on. Throws RecorderError where nothing can be played.
bool play_session(const session::Manifest& manifest, const PlayRequest& request, const std::stop_token& stop);

}  // namespace dictum::program
