#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "dictum/config.hpp"
#include "transcription/worker_pool.hpp"

/// From a configuration to the parts that it asks for.
namespace dictum::recorder {

using PoolSettings = transcription::WorkerPoolSettings;

/// The user's source, a file, standard input, or the microphone. Throws RecorderError.
std::unique_ptr<AudioSource> make_source(const RecorderConfig& config, std::shared_ptr<const Clock> clock);

/// The user's detector or a built-in one, and a warning where it is not the one that was asked for. The weights are
/// read from the program itself. Throws RecorderError.
std::pair<std::unique_ptr<VoiceActivityDetector>, std::optional<EventError>> make_detector(
    const RecorderConfig& config);

/// The worker that the configuration names; empty where it asks for none. Looks for programs and models: may block.
/// Throws RecorderError(transcriber_missing).
std::optional<PoolSettings> find_transcriber(const RecorderConfig::Transcription& config);

/// Whether segments are to be transcribed at all.
bool transcribes(const RecorderConfig& config);

/// Where sessions go.
std::filesystem::path session_root(const RecorderConfig& config);

/// The settings as they stand in the manifest: by section and key.
boost::json::object to_json(const RecorderConfig& config);

}  // namespace dictum::recorder
