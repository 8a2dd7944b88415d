#include "session/transcript.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace dictum::session {
namespace {

std::string line_of(Frame frame, int sample_rate, const std::string& text, const std::optional<EventError>& error,
                    bool has_text) {
  const std::int64_t ms = frame / sample_rate * 1000 + frame % sample_rate * 1000 / sample_rate;
  std::string line =
      fmt::format("[{:02}:{:02}:{:02}.{:03}]", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  if (has_text) {
    if (!text.empty()) line += " " + utf8::on_one_line(text);
  } else {
    line += fmt::format(" [not transcribed: {}]", utf8::on_one_line(error ? error->message : "no reason was given"));
  }
  return line + "\n";
}

}  // namespace

std::string why_not_transcribed(const Segment& segment) {
  switch (segment.status) {
    case SegmentStatus::recording:
    case SegmentStatus::queued:
      return "it is still waiting";
    case SegmentStatus::skipped:
      return "transcription was off";
    case SegmentStatus::failed:
      return segment.error ? segment.error->message : "no reason was given";
    case SegmentStatus::done:
    case SegmentStatus::discarded:
      break;
  }
  return {};
}

std::string transcript_line(const Segment& segment, int sample_rate) {
  const std::string reason = why_not_transcribed(segment);
  return line_of(segment.speech_start_frame, sample_rate, segment.text, EventError{"", reason}, reason.empty());
}

std::optional<std::string> incremental_line(const Manifest& manifest, const Event& event) {
  if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
    const Segment* segment = manifest.find(complete->segment_index);
    if (segment == nullptr) return std::nullopt;
    return line_of(segment->speech_start_frame, manifest.sample_rate, complete->text, complete->error,
                   complete->success);
  }
  if (const auto* ended = std::get_if<SpeechEnded>(&event.body)) {
    const Segment* segment = manifest.find(ended->segment_index);
    if (segment != nullptr && segment->status == SegmentStatus::skipped) {
      return transcript_line(*segment, manifest.sample_rate);
    }
  }
  return std::nullopt;
}

std::string raw_transcript(const Manifest& manifest, std::size_t segments) {
  std::string text;
  for (std::size_t i = 0; i < segments && i < manifest.segments.size(); ++i) {
    const Segment& segment = manifest.segments[i];
    if (segment.is_kept()) text += transcript_line(segment, manifest.sample_rate);
  }
  return text;
}

std::size_t settled_segments(const Manifest& manifest, std::size_t known) {
  while (known < manifest.segments.size() && manifest.segments[known].is_settled()) ++known;
  return known;
}

}  // namespace dictum::session
