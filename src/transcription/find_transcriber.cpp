#include "transcription/find_transcriber.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/sanitized.hpp"
#include "transcription/worker_lookup.hpp"

namespace dictum::transcription {

bool transcribes(const RecorderConfig& config) {
  return config.custom_transcriber || config.transcription.transcriber != "none";
}

std::optional<WorkerPoolSettings> find_transcriber(const RecorderConfig::Transcription& config) {
  if (config.transcriber == "none") return std::nullopt;
  const std::string name = resolve_transcriber(config.transcriber);
  WorkerPoolSettings settings;
  settings.name = name;
  settings.executable = find_worker(name);
  settings.guard = find_guard();
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

}  // namespace dictum::transcription
