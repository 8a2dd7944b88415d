#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::transcription {

/// How to start a worker.
struct WorkerCommand {
  std::filesystem::path executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< added to the host's own
  std::filesystem::path guard;                     ///< the dictum-guard to start it with
  std::uint64_t memory_cap{};                      ///< bytes of its data segment; 0: none
};

/// Why a worker ended.
struct WorkerEnd {
  Errc code{};          ///< worker_died, or worker_protocol where it was killed for what it said
  std::string message;  ///< one sentence, with the last line that it printed
};

struct WorkerEvents {
  std::function<void(Message)> on_message;
  std::function<void(WorkerEnd)> on_end;  ///< once, after the last message
};

/// A worker behind its guard. Lives on the serial executor that it was made with; owned by whoever talks to the worker.
/// Starting can fail, nothing later can: whatever goes wrong is told by `on_end`, from the executor, never from inside
/// a call. Destroying it kills the worker at once, tells nothing more and does not wait; the guard cleans up.
class WorkerProcess {
 public:
  /// Throws RecorderError(transcriber_missing), having left nothing behind.
  WorkerProcess(const boost::asio::any_io_executor& executor, const WorkerCommand& command, WorkerEvents events);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void send(const Message& message);

 private:
  class Link;
  std::shared_ptr<Link> link_;
};

}  // namespace dictum::transcription
