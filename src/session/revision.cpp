#include "session/revision.hpp"

#include <fmt/format.h>

#include <utility>

#include "dictum/error.hpp"
#include "dictum/text.hpp"

namespace dictum::session {

void add_revision(SessionWriter& writer, std::uint32_t index, TranscriptionComplete result,
                  std::chrono::system_clock::time_point now) {
  const Segment* found = writer.manifest().find(index);
  if (found == nullptr || !found->is_kept() || found->status == SegmentStatus::recording) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("The session '{}' has no audio of a segment {}.", writer.name(), index));
  }
  const Segment segment = *found;
  const double timestamp = timestamp_of(now);
  const auto record = [&](EventBody body) {
    writer.record({writer.name(), writer.next_sequence(), timestamp, segment.end_frame, std::move(body)});
  };
  if (segment.status == SegmentStatus::skipped) {
    record(TranscriptionQueued{index, (writer.path() / SessionWriter::segment_file(index)).string()});
  }
  result.segment_index = index;
  result.revision = segment.revisions;
  record(std::move(result));
}

}  // namespace dictum::session
