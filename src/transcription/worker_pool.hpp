#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "dictum/clock.hpp"
#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"

namespace dictum::transcription {

struct WorkerPoolSettings {
  std::string name;                                ///< of the transcriber; its workers are "NAME-0", "NAME-1" ...
  std::filesystem::path executable;                ///< of the worker
  std::filesystem::path guard;                     ///< dictum-guard
  std::string model;                               ///< as the user wrote it; empty: the worker's default
  std::string language;                            ///< BCP 47, for jobs that name none; empty: the engine's choice
  std::map<std::string, std::string> environment;  ///< added to the host's
  int workers = 1;
  int attempts = 3;              ///< in all, each after a failure on a fresh worker
  std::uint64_t memory_cap = 0;  ///< of each worker's data, in bytes; 0: none

  std::chrono::duration<double> deadline_base{30};     ///< an attempt may take this long ...
  std::chrono::duration<double> deadline_per_sec{10};  ///< ... and this much more for each second of audio
  std::chrono::milliseconds hello_timeout{60'000};     ///< for loading the model
  std::chrono::milliseconds backoff{100};              ///< before a fresh worker; doubled with each failure in a row
  std::chrono::milliseconds ping_interval{2'000};      ///< while a job runs
  int lost_pings = 5;                                  ///< this many intervals without a pong: the process is stuck
  std::chrono::milliseconds preview_interval{1'000};   ///< between interim texts
  std::optional<std::chrono::milliseconds>
      unload_after;  ///< an idle worker is ended, and its model's memory given back
};

/// What a pool tells beside the outcomes; from its strand, never from inside a call.
struct WorkerPoolEvents {
  std::function<void(std::string worker, WorkerState state, std::string reason)> on_status;
  std::function<void(std::uint32_t segment_index, std::string text, std::size_t stable_chars)> on_partial;
};

/// Transcribes in warm, supervised, expendable worker processes. Lives on the serial executor that it was made with,
/// where all its methods are called; owned by the recorder; serves any number of sessions. Never blocks and never
/// throws for what a worker does: every job ends in exactly one outcome, and one that failed says why. Workers are
/// started when there is work. While none has a job, no timer runs (but for `unload_after`).
class WorkerPool final : public Transcriber {
 public:
  WorkerPool(boost::asio::any_io_executor strand, WorkerPoolSettings settings, std::shared_ptr<const Clock> clock,
             WorkerPoolEvents events);
  ~WorkerPool() override;

  void transcribe(TranscriptionJob job, Done done) override;
  void preview(TranscriptionJob growing) override;
  void end_preview(std::uint32_t segment_index) override;
  void abandon() override;

  /// Starts all workers, so that the first job finds a loaded model.
  void warm_up();

  /// Jobs without an outcome.
  std::size_t queued() const;

  /// How long the oldest of them has been here; zero where there is none.
  std::chrono::duration<double> oldest_age() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace dictum::transcription
