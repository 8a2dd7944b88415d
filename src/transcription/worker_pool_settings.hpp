#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace dictum::transcription {

/// How a pool of workers is made. A plain value.
struct WorkerPoolSettings {
  std::string name;                                ///< of the transcriber; its workers are "NAME-0", "NAME-1" ...
  std::filesystem::path executable;                ///< of the worker
  std::filesystem::path guard;                     ///< dictum-guard
  std::string model;                               ///< as the user wrote it; empty: the worker's default
  std::string language;                            ///< BCP 47, for jobs that name none; empty: the engine's choice
  std::map<std::string, std::string> environment;  ///< added to what workers get of the host's
  int workers = 1;
  int attempts = 3;              ///< in all, each after a failure on a fresh worker
  std::uint64_t memory_cap = 0;  ///< of each worker's data, in bytes; 0: none

  std::chrono::duration<double> deadline_base{30};     ///< an attempt may take this long ...
  std::chrono::duration<double> deadline_per_sec{10};  ///< ... and this much more for each second of audio
  std::chrono::milliseconds hello_timeout{60'000};     ///< for loading the model
  std::chrono::milliseconds backoff{100};              ///< before a fresh worker; doubled with each failure in a row
  std::chrono::milliseconds start_patience{10'000};    ///< before it is reported that no worker can be started
  std::chrono::milliseconds outage_patience{300'000};  ///< the same where workers are killed from outside
  std::chrono::milliseconds ping_interval{2'000};      ///< while a job runs
  int lost_pings = 5;                                  ///< this many intervals without a pong: the process is stuck
  std::chrono::milliseconds preview_interval{1'000};   ///< between interim texts
  std::optional<std::chrono::milliseconds>
      unload_after;  ///< an idle worker is ended, and its model's memory given back

  std::shared_ptr<const WorkerPoolSettings> fallback{};  ///< of a local pool for the time that a cluster is away
  std::chrono::milliseconds fallback_after{};            ///< with a cluster that does not answer
};

}  // namespace dictum::transcription
