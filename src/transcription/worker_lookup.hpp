#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transcription/worker_protocol.hpp"

/// Finds the transcription workers of this machine. Reads the environment and the disk at each call; safe from any
/// thread that may block.
namespace dictum::transcription {

/// What the file name of a worker begins with.
inline constexpr std::string_view kWorkerPrefix = "dictum-worker-";

/// Where workers and their guard are looked for, the first one wins: the `program_folders` of this installation, then
/// the folders of $PATH. Only absolute ones: the current folder never decides what runs.
std::vector<std::filesystem::path> worker_folders();

/// One sentence for each entry of $DICTUM_WORKER_DIR and $PATH that is ignored because it is not absolute.
std::vector<std::string> ignored_worker_folders();

/// The executable of the transcriber `name`. Throws RecorderError: invalid_argument for what can be no name,
/// transcriber_missing where there is none, naming those that there are.
std::filesystem::path find_worker(std::string_view name);

/// The guard that workers are started with. Throws RecorderError(transcriber_missing).
std::filesystem::path find_guard();

struct InstalledWorker {
  std::string name;
  std::filesystem::path executable;
};

/// Every worker that `find_worker` would find, by name.
std::vector<InstalledWorker> list_workers();

/// What "auto" stands for on this machine: "whisper" where its worker and a model for it are installed, else
/// "pocketsphinx". Any other name stands for itself.
std::string resolve_transcriber(std::string_view name);

/// Why "auto" does not stand for Whisper on this machine, and the one command that changes it; nothing where it does.
std::optional<EventError> why_not_whisper();

/// Throws RecorderError(model_missing), with the command that gets one, where no Whisper model is installed.
void require_whisper_model();

/// Starts the worker, which loads its model, and returns its hello. Throws RecorderError, with what it said instead.
Hello probe(const std::filesystem::path& executable, const std::string& model = {},
            std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace dictum::transcription
