#pragma once

#include <memory>

#include "transcription/worker.hpp"

namespace dictum::transcription {

/// Starts a worker in a process behind its guard, which kills it together with everything that it started. Throws
/// WorkerStartError.
std::unique_ptr<Worker> start_worker_process(const boost::asio::any_io_executor& executor, const WorkerCommand& command,
                                             WorkerEvents events);

}  // namespace dictum::transcription
