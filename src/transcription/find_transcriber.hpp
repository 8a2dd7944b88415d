#pragma once

#include <optional>
#include <string>

#include "dictum/config.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {

/// Whether segments are to be transcribed at all.
bool transcribes(const RecorderConfig& config);

/// The worker that the configuration names; empty where it asks for none. Looks for programs and models: may block.
/// Throws RecorderError(transcriber_missing).
std::optional<WorkerPoolSettings> find_transcriber(const RecorderConfig::Transcription& config);

/// Where what is said goes in order to be transcribed: one sentence, which says no more than is known of the
/// transcriber.
std::string where_speech_goes(const RecorderConfig& config);

}  // namespace dictum::transcription
