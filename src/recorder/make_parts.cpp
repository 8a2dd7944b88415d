#include "recorder/make_parts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/value_from.hpp>
#include <cerrno>

#include "base/sanitized.hpp"
#include "base/unique_fd.hpp"
#include "capture/file_source.hpp"
#include "capture/make_microphone.hpp"
#include "capture/stream_source.hpp"
#include "dictum/error.hpp"
#include "recorder/config_fields.hpp"
#include "session/session_directory.hpp"
#include "transcription/worker_lookup.hpp"
#include "vad/detector.hpp"

namespace dictum::recorder {

std::unique_ptr<AudioSource> make_source(const RecorderConfig& config, std::shared_ptr<const Clock> clock) {
  const auto& capture = config.capture;
  if (config.source) return config.source();
  if (capture.input.empty()) return capture::make_microphone(capture.backend, capture.device, std::move(clock));
  const auto raw =
      capture.input_format.empty() ? std::nullopt : std::optional(audio::parse_raw_format(capture.input_format));
  if (capture.input != "-") {
    const auto pace = capture.pace == "fast" ? capture::Pace::fast : capture::Pace::realtime;
    return std::make_unique<capture::FileSource>(capture.input, pace, capture.block_frames, std::move(clock), raw);
  }
  UniqueFD input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) throw RecorderError(Errc::input_not_found, "Standard input is closed: pipe audio into it.");
  return std::make_unique<capture::StreamSource>(std::move(input), "standard input", raw);
}

std::pair<std::unique_ptr<VoiceActivityDetector>, std::optional<EventError>> make_detector(
    const RecorderConfig& config) {
  if (config.detector) return {config.detector(), std::nullopt};
  auto made =
      vad::make_detector(config.vad.detector, config.vad.detector == "silero" ? vad::load_embedded_weights() : nullptr);
  if (!made.fell_back_to_energy) return {std::move(made.detector), std::nullopt};
  return {std::move(made.detector),
          EventError{to_string(Errc::model_missing),
                     "This build has no Silero model, so speech is found by its energy only, which mistakes noise for "
                     "speech: run ./setup and build again."}};
}

bool transcribes(const RecorderConfig& config) {
  return config.custom_transcriber || config.transcription.transcriber != "none";
}

std::optional<PoolSettings> find_transcriber(const RecorderConfig::Transcription& config) {
  if (config.transcriber == "none") return std::nullopt;
  const std::string name = transcription::resolve_transcriber(config.transcriber);
  PoolSettings settings;
  settings.name = name;
  settings.executable = transcription::find_worker(name);
  settings.guard = transcription::find_guard();
  settings.model = config.model;
  settings.language = config.language;
  settings.workers = config.workers;
  if (!kSanitized) settings.memory_cap = static_cast<std::uint64_t>(config.memory_mb) << 20;  // else none could start
  settings.deadline_base = std::chrono::duration<double>(config.deadline_base_sec);
  settings.deadline_per_sec = std::chrono::duration<double>(config.deadline_per_sec);
  if (!config.simulated_script.empty()) {
    settings.environment["DICTUM_SIMULATED_SCRIPT"] = std::filesystem::absolute(config.simulated_script).string();
  }
  return settings;
}

std::filesystem::path session_root(const RecorderConfig& config) {
  return config.session.root.empty() ? session::default_session_root() : std::filesystem::absolute(config.session.root);
}

boost::json::object to_json(const RecorderConfig& config) {
  boost::json::object all;
  for (const ConfigField& field : config_fields()) {
    boost::json::value& section = all[field.section];
    if (!section.is_object()) section = boost::json::object();
    std::visit([&](const auto& value) { section.as_object()[field.key] = boost::json::value_from(value); },
               field.get(config));
  }
  return all;
}

}  // namespace dictum::recorder
