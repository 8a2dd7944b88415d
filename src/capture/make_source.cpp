#include "capture/make_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "audio/raw_format.hpp"
#include "base/unique_fd.hpp"
#include "capture/file_source.hpp"
#include "capture/make_microphone.hpp"
#include "capture/stream_source.hpp"
#include "dictum/error.hpp"

namespace dictum::capture {

std::unique_ptr<AudioSource> make_source(const RecorderConfig& config, std::shared_ptr<const Clock> clock) {
  const auto& capture = config.capture;
  if (config.source) {
    auto source = config.source();
    if (!source) {
      throw RecorderError(Errc::invalid_argument,
                          "The configuration's source factory returned a null pointer: let it return an AudioSource.");
    }
    return source;
  }
  if (capture.input.empty()) return make_microphone(capture.backend, capture.device, std::move(clock));
  const auto raw =
      capture.input_format.empty() ? std::nullopt : std::optional(audio::parse_raw_format(capture.input_format));
  if (capture.input != "-") {
    const auto pace = capture.pace == "fast" ? Pace::fast : Pace::realtime;
    return std::make_unique<FileSource>(capture.input, pace, capture.block_frames, std::move(clock), raw);
  }
  UniqueFD input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) throw RecorderError(Errc::input_not_found, "Standard input is closed: pipe audio into it.");
  return std::make_unique<StreamSource>(std::move(input), "standard input", raw);
}

}  // namespace dictum::capture
