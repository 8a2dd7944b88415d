#pragma once

#include <optional>

#include "dictum/config.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {

/// Whether segments are to be transcribed at all.
bool transcribes(const RecorderConfig& config);

/// The worker that the configuration names; empty where it asks for none. Looks for programs and models: may block.
/// Throws RecorderError(transcriber_missing).
std::optional<WorkerPoolSettings> find_transcriber(const RecorderConfig::Transcription& config);

}  // namespace dictum::transcription
