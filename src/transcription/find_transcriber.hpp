#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dictum/config.hpp"
#include "transcription/worker_pool_settings.hpp"

namespace dictum::transcription {

/// Whether segments are to be transcribed at all.
bool transcribes(const RecorderConfig& config);

/// The worker that the configuration names; empty where it asks for none. Looks for programs and models: may block.
/// Throws RecorderError(transcriber_missing).
std::optional<WorkerPoolSettings> find_transcriber(const RecorderConfig::Transcription& config);

/// Throws RecorderError(config_invalid) where no server of a cluster was named.
void require_cluster(std::string_view url);

/// The variables in which the `nats` worker, and the programs of the cluster, find it. Settings that are empty are left
/// out.
std::map<std::string, std::string> cluster_environment(const RecorderConfig::Transcription& config);

/// Where what is said goes in order to be transcribed: one sentence, which says no more than is known of the
/// transcriber.
std::string where_speech_goes(const RecorderConfig& config);

}  // namespace dictum::transcription
