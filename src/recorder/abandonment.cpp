#include "recorder/abandonment.hpp"

#include <fmt/format.h>

namespace dictum::recorder {

std::string describe(const Abandonment& abandonment) {
  const std::string session = abandonment.session.string();
  const double seconds = static_cast<double>(abandonment.written_until) / abandonment.sample_rate;
  const char* const gaps = abandonment.audio_failed ? " Some of the audio before that could not be written." : "";
  if (abandonment.disk_answers) {
    return fmt::format(
        "The audio device did not answer in time and was left behind. The {:.1f} s that it had delivered are in '{}'; "
        "`dictum resume` completes the session.{}",
        seconds, session, gaps);
  }
  const std::string events =
      abandonment.events_waiting == 0
          ? ""
          : fmt::format(" and {} event{}", abandonment.events_waiting, abandonment.events_waiting == 1 ? "" : "s");
  const std::string missing =
      abandonment.capture_is_closed
          ? fmt::format("The audio is written up to {:.1f} s, but not known to be safe", seconds)
          : fmt::format("The audio after {:.1f} s{} may be missing", seconds, events);
  return fmt::format(
      "The disk, or the audio device, did not answer in time and was left behind. {} in '{}'. `dictum resume` "
      "completes "
      "what is there.{}",
      missing, session, gaps);
}

}  // namespace dictum::recorder
