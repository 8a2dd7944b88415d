#include "offline/timeline_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"
#include "session/recording.hpp"

namespace dictum::offline {
namespace {

audio::SoundFileReader open_timeline(const std::filesystem::path& session, const session::Manifest& manifest) {
  if (!manifest.stopped_at) {
    throw RecorderError(Errc::invalid_state,
                        fmt::format("The session '{}' is being recorded or was interrupted: stop it, or finish it with "
                                    "`dictum resume {}`.",
                                    manifest.session, session.string()));
  }
  const journal::SessionFolder folder(session);
  if (!manifest.keep_all || !folder.has(journal::kTimelineFile)) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The session '{}' did not keep its whole sound: record with --keep-all to be able "
                                    "to find segments again.",
                                    manifest.session));
  }
  audio::SoundFileReader reader = session::open_recording(folder, journal::kTimelineFile);
  if (reader.format() != AudioFormat{.sample_rate = manifest.sample_rate, .channels = 1}) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' has another format than its session.",
                                                              (session / journal::kTimelineFile).string()));
  }
  return reader;
}

}  // namespace

TimelineSource::TimelineSource(const std::filesystem::path& session)
    : path_(session),
      manifest_(session::read_manifest(session)),
      reader_(open_timeline(session, manifest_)),
      gaps_(manifest_.gaps) {
  std::ranges::sort(gaps_, std::ranges::greater(), &session::Gap::start_frame);
}

Reading TimelineSource::read(std::span<float> mono) {
  Frame room = std::min(static_cast<Frame>(mono.size()), manifest_.end_frame - position_);
  if (!gaps_.empty()) room = std::min(room, std::max<Frame>(gaps_.back().start_frame - position_, 0));
  const std::size_t got = reader_.read(mono.first(static_cast<std::size_t>(std::max<Frame>(room, 0))));
  position_ += static_cast<Frame>(got);
  if (static_cast<Frame>(got) < room) {  // the file is shorter than its session
    if (std::exchange(has_reported_damage_, true)) return {.frames = got, .then = SourceEnd{}};
    return {.frames = got,
            .then = SourceFault{.code = to_string(Errc::session_unreadable),
                                .message = fmt::format("The kept sound of '{}' ends {} frames too early.",
                                                       manifest_.session, manifest_.end_frame - position_),
                                .recoverable = true}};
  }
  if (!gaps_.empty() && gaps_.back().start_frame <= position_) {
    const session::Gap gap = gaps_.back();
    gaps_.pop_back();
    position_ += std::min(gap.frames, std::max<Frame>(manifest_.end_frame - position_, 0));
    reader_.seek(position_);
    return {.frames = got, .then = SourceGap{.frames = gap.frames, .reason = gap.reason}};
  }
  if (position_ >= manifest_.end_frame) return {.frames = got, .then = SourceEnd{}};
  return {.frames = got};
}

}  // namespace dictum::offline
