#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "dictum/export.hpp"

/// The transcribers of this machine: programs named dictum-worker-NAME, beside the library or on $PATH. For an
/// application that offers a choice, or shows where speech goes.
///
/// Thread safety: every function may be called from any thread. They read the disk at each call; none belongs on an
/// event loop.
namespace dictum {

struct InstalledTranscriber {
  std::string name;  ///< for `transcription.transcriber`
  std::filesystem::path executable;
};

/// What a transcriber reports about itself. All of it comes from the program: not to be shown unfiltered.
struct TranscriberInfo {
  std::string engine;                  ///< for people, for example "pocketsphinx 5"
  std::string model;                   ///< for people; empty where the engine has none
  std::vector<std::string> languages;  ///< BCP 47; empty: any
  std::vector<std::string> abilities;  ///< "words", "phrases", "partials", "vocabulary", and others
};

/// Every transcriber that is installed, by name.
DICTUM_API std::vector<InstalledTranscriber> list_transcribers();

/// What "auto" stands for on this machine, installed or not: "whisper" where it and a model for it are, else
/// "pocketsphinx".
DICTUM_API std::string auto_transcriber();

/// Why "auto" does not stand for Whisper, and the one command that changes it; empty where it does.
DICTUM_API std::optional<EventError> why_not_whisper();

/// One sentence for each entry of $DICTUM_WORKER_DIR and $PATH in which no transcriber is looked for, because it is not
/// absolute.
DICTUM_API std::vector<std::string> ignored_transcriber_folders();

/// Starts the transcriber, which loads its model, and asks what it is. Blocks for up to a minute. Errors:
/// `transcriber_missing`, `timed_out` and others, with what the program said instead.
DICTUM_API TranscriberInfo probe_transcriber(const InstalledTranscriber& transcriber);

/// Whether this configuration transcribes at all.
DICTUM_API bool transcribes(const RecorderConfig& config);

/// The variables in which a program finds the cluster of these settings: for the `nats` transcriber, and for no other
/// program, since they lead to secrets. Settings that are empty are left out, so that the caller's own variables count.
DICTUM_API std::map<std::string, std::string> cluster_environment(const RecorderConfig::Transcription& config);

/// Where speech goes in order to be transcribed: one sentence for a person, which says no more than is known of the
/// transcriber.
DICTUM_API std::string where_speech_goes(const RecorderConfig& config);

}  // namespace dictum
