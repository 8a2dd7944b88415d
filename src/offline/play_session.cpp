#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "dictum/playback.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"
#include "playback/player.hpp"
#include "session/recording.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

/// False where a stop was requested.
bool play_file(playback::Player& player, const journal::SessionFolder& folder, const fs::path& file, Frame from) {
  audio::SoundFileReader reader = session::open_recording(folder, file);
  if (reader.format().channels != 1) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("'{}' is no mono recording.", (folder.path() / file).string()));
  }
  if (from > 0) reader.seek(from);
  std::array<float, 4096> block{};
  while (const std::size_t got = reader.read(block)) {
    if (!player.play(std::span(block).first(got))) return false;
  }
  return true;
}

bool play_silence(playback::Player& player, Frame frames) {
  constexpr std::array<float, 4096> silence{};
  for (; frames > 0; frames -= std::ssize(silence)) {
    if (!player.play(std::span(silence).first(static_cast<std::size_t>(std::min(frames, std::ssize(silence))))))
      return false;
  }
  return true;
}

}  // namespace

bool play_session(const SessionTranscript& session, const PlayRequest& request, std::stop_token stop) {
  std::vector<TranscriptSegment> wanted;
  std::ranges::copy_if(session.segments, std::back_inserter(wanted), [&](const TranscriptSegment& segment) {
    return segment.end_frame > request.from && (!request.only || segment.index == *request.only);
  });
  if (wanted.empty()) return false;

  const journal::SessionFolder folder(session.path);
  playback::Player player(session.sample_rate, std::move(stop));
  std::optional<Frame> end;  // of what was played last
  for (const TranscriptSegment& segment : wanted) {
    // A pause is kept, but shortened.
    const Frame pause = end ? std::clamp<Frame>(segment.start_frame - *end, 0, session.sample_rate) : 0;
    if (!play_silence(player, pause)) return true;
    end = segment.end_frame;
    const Frame start = std::max(request.from, segment.start_frame);
    if (request.on_segment) request.on_segment(segment, start);
    try {
      if (!play_file(player, folder, journal::segment_file(segment.index), start - segment.start_frame)) return true;
    } catch (const RecorderError& error) {
      const bool is_missing = error.code() == Errc::input_not_found || error.code() == Errc::input_unreadable;
      if (!is_missing || !request.on_missing) throw;
      request.on_missing(error);
    }
  }
  player.drain();
  return true;
}

}  // namespace dictum
