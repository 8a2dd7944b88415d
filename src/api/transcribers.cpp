#include "dictum/transcribers.hpp"

#include <utility>

#include "transcription/find_transcriber.hpp"
#include "transcription/worker_lookup.hpp"

namespace dictum {

std::vector<InstalledTranscriber> list_transcribers() {
  std::vector<InstalledTranscriber> all;
  for (auto& worker : transcription::list_workers()) {
    all.push_back({std::move(worker.name), std::move(worker.executable)});
  }
  return all;
}

std::string auto_transcriber() {
  return transcription::resolve_transcriber("auto");
}

std::optional<EventError> why_not_whisper() {
  return transcription::why_not_whisper();
}

std::vector<std::string> ignored_transcriber_folders() {
  return transcription::ignored_worker_folders();
}

TranscriberInfo probe_transcriber(const InstalledTranscriber& transcriber) {
  transcription::Hello hello = transcription::probe(transcriber.executable);
  return {.engine = std::move(hello.engine),
          .model = std::move(hello.model),
          .languages = std::move(hello.languages),
          .abilities = std::move(hello.abilities)};
}

bool transcribes(const RecorderConfig& config) {
  return transcription::transcribes(config);
}

std::map<std::string, std::string> cluster_environment(const RecorderConfig::Transcription& config) {
  return transcription::cluster_environment(config);
}

std::string where_speech_goes(const RecorderConfig& config) {
  return transcription::where_speech_goes(config);
}

}  // namespace dictum
