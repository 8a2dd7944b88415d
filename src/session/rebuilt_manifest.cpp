#include "session/rebuilt_manifest.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "session/wav_repair.hpp"

namespace dictum::session {
namespace {

constexpr int kUsualRate = 16000;
constexpr int kMaxRate = 1'000'000;
constexpr double kMaxTimestamp = 1e11;  // seconds since the Unix epoch, far in the future

std::optional<int> rate_of(const Event& event) {
  const auto* ended = std::get_if<SpeechEnded>(&event.body);
  if (ended == nullptr || !(ended->duration_sec > 0)) return std::nullopt;
  const double rate = std::round(static_cast<double>(ended->end_frame - ended->start_frame) / ended->duration_sec);
  if (!(rate >= 1 && rate <= kMaxRate)) return std::nullopt;
  return static_cast<int>(rate);
}

int rate_of(const journal::SessionFolder& folder, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (const auto rate = rate_of(event)) return *rate;
  }
  for (const std::uint32_t index : segments_on_disk(folder)) {
    try {
      if (const auto rate = rate_on_disk(folder, journal::segment_file(index))) return *rate;
    } catch (const RecorderError&) {  // no recording of ours
    }
  }
  return kUsualRate;
}

/// A kept segment is queued by the event behind its end, or transcription was off.
bool transcribes(const std::vector<Event>& events) {
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    const auto* ended = std::get_if<SpeechEnded>(&events[i].body);
    if (ended != nullptr && ended->kept) {
      return std::ranges::any_of(
          events, [](const Event& event) { return std::holds_alternative<TranscriptionQueued>(event.body); });
    }
  }
  return true;
}

}  // namespace

Manifest rebuilt_manifest(const journal::SessionFolder& folder, const std::vector<Event>& events) {
  Manifest manifest;
  manifest.session = folder.path().filename().string();
  manifest.sample_rate = rate_of(folder, events);
  manifest.transcribes = transcribes(events);
  manifest.keep_all = folder.has(journal::kTimelineFile);
  manifest.started_at = journal::time_of_name(manifest.session).value_or(std::chrono::system_clock::time_point{});
  if (events.empty()) return manifest;
  manifest.session = events.front().session;
  if (const double seconds = events.front().timestamp; seconds > 0 && seconds < kMaxTimestamp) {
    manifest.started_at = std::chrono::system_clock::time_point(
        std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds)));
  }
  return manifest;
}

}  // namespace dictum::session
