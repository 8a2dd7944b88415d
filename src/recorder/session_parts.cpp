#include "recorder/session_parts.hpp"

#include <system_error>
#include <utility>

#include "capture/make_source.hpp"
#include "config/config_json.hpp"
#include "config/note_phrases.hpp"
#include "config/vocabulary.hpp"
#include "journal/session_directory.hpp"
#include "recorder/strands.hpp"
#include "session/recovery.hpp"
#include "transcription/find_transcriber.hpp"
#include "transcription/worker_lookup.hpp"
#include "vad/make_detector.hpp"

namespace dictum::recorder {

Preparation prepare(const RecorderConfig& config) {
  Preparation made;
  if (!config.custom_transcriber) made.pool = transcription::find_transcriber(config.transcription);
  const auto lacks_model = [](const auto& pool) { return pool && pool->name == "whisper" && pool->model.empty(); };
  if (lacks_model(made.pool) || (made.pool && lacks_model(made.pool->fallback))) transcription::require_whisper_model();
  made.vocabulary = config::vocabulary_of(config.transcription);
  auto [detector, warning] = vad::make_detector(config);
  made.detector = std::move(detector);
  if (warning) made.warnings.push_back(*std::move(warning));
  const bool chooses = !config.custom_transcriber && config.transcription.transcriber == "auto";
  if (auto lack = chooses ? transcription::why_not_whisper() : std::nullopt) {
    made.warnings.push_back(*std::move(lack));
  }
  return made;
}

OpenCapture open_capture(const RecorderConfig& config, const TimeSource& time,
                         std::unique_ptr<VoiceActivityDetector> detector, boost::asio::any_io_executor listen) {
  OpenCapture made;
  made.loop = owned_by_strand(
      listen, std::make_unique<pipeline::CaptureLoop>(listen, config, time.clock, *time.timers,
                                                      capture::make_source(config, time.clock), std::move(detector)));
  made.format = made.loop->open();
  return made;
}

NewSession::NewSession(const RecorderConfig& config, std::chrono::system_clock::time_point started, int sample_rate,
                       const std::string& source) {
  const std::filesystem::path root = journal::session_root(config);
  std::error_code ignored;
  if (!std::filesystem::exists(root, ignored)) made_.push_back(root);
  writer_.emplace(session::SessionWriter::create(root, started,
                                                 {.sample_rate = sample_rate,
                                                  .source = source,
                                                  .config = config::to_json(config),
                                                  .keep_all = config.session.keep_all,
                                                  .transcribes = transcription::transcribes(config),
                                                  .survives_power_cut = config.session.durability == "power"}));
  made_.push_back(writer_->path());
}

NewSession::~NewSession() {
  if (!writer_) return;
  writer_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(made_.back(), ignored);
  if (made_.size() > 1) std::filesystem::remove(made_.front(), ignored);  // stays where somebody put something into it
}

session::SessionWriter NewSession::keep() {
  session::SessionWriter writer = *std::move(writer_);
  writer_.reset();
  return writer;
}

ReopenedSession reopen(const RecorderConfig& config, const std::filesystem::path& session,
                       std::chrono::system_clock::time_point now) {
  auto pool = config.custom_transcriber ? std::nullopt : transcription::find_transcriber(config.transcription);
  ReopenedSession made{.pool = std::move(pool),
                       .writer = session::SessionWriter::reopen(session),
                       .journal = {},
                       .vocabulary = config::vocabulary_of(config.transcription)};
  made.journal = session::recover(made.writer, now).events;
  return made;
}

namespace {

Eagerness eagerness_of(const RecorderConfig& config) {
  if (config.transcription.eager == "true") return Eagerness::always;
  return config.transcription.eager == "false" ? Eagerness::never : Eagerness::automatic;
}

}  // namespace

RecorderCore::Settings core_settings(const RecorderConfig& config, const std::filesystem::path& session,
                                     int sample_rate, bool transcribes) {
  return {.session = session.filename().string(),
          .session_path = session,
          .sample_rate = sample_rate,
          .transcribes = transcribes,
          .mode = config.vad.mode,
          .min_silence_ms = config.vad.min_silence_ms,
          .long_note_silence_ms = config.vad.long_note_silence_ms,
          .eagerness = eagerness_of(config),
          .language = config.transcription.language,
          .vocabulary = {},
          .replacements = config.transcription.replacements,
          .phrases = config::note_phrases(config)};
}

RecorderCore::Settings core_settings(const RecorderConfig& config, const session::SessionWriter& session,
                                     bool transcribes) {
  RecorderCore::Settings settings = core_settings(config, session.path(), session.manifest().sample_rate, transcribes);
  settings.session = session.name();
  settings.mode = VADMode::normal;
  settings.phrases = config::recorded_note_phrases(session.manifest().config);
  return settings;
}

}  // namespace dictum::recorder
