#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "transcription/worker_failure.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::transcription {

/// How to start a worker.
struct WorkerCommand {
  std::filesystem::path executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< added to what `worker_environment` leaves of the host's own
  std::filesystem::path guard;                     ///< the dictum-guard to start it with
  std::uint64_t memory_cap{};                      ///< bytes of its data segment; 0: none
};

struct WorkerEvents {
  std::function<void(Message)> on_message;
  std::function<void(WorkerFailure)> on_end;  ///< once, after the last message
};

/// A worker that runs. Lives on the serial executor that it was started with; owned by whoever talks to it. Nothing
/// fails here: what goes wrong is reported by `on_end`, from the executor, never from inside a call. Destroying it
/// kills the worker at once, reports nothing more and does not wait.
class Worker {
 public:
  virtual ~Worker() = default;

  virtual void send(const Message& message) = 0;

  /// A longer frame from the worker ends it.
  virtual void limit_frames(std::size_t bytes) = 0;
};

/// Starting failed, and nothing was left behind.
class WorkerStartError : public RecorderError {
 public:
  WorkerStartError(FailureCause cause, const std::string& sentence)
      : RecorderError(Errc::transcriber_missing, sentence), cause_(cause) {}

  FailureCause cause() const { return cause_; }

 private:
  FailureCause cause_;
};

/// Starts a worker, or throws WorkerStartError.
using StartWorker = std::function<std::unique_ptr<Worker>(const boost::asio::any_io_executor& executor,
                                                          const WorkerCommand& command, WorkerEvents events)>;

}  // namespace dictum::transcription
