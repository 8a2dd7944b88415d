#pragma once

#include <string>

namespace dictum::transcription {

/// Why a worker failed, as far as it decides what happens next.
enum class FailureCause {
  settings,  ///< the program, the model or the language can never work: another attempt is of no use
  worker,    ///< the worker crashed, reported an error, broke the protocol or did not answer
  outside,   ///< killed by somebody else, or the system lacks resources: says nothing about the worker or the job
  job,       ///< the job itself, as a remote transcriber answered for good: another attempt is of no use
};

struct WorkerFailure {
  FailureCause cause{};
  std::string code;     ///< to_string(Errc), or a word of the worker's own
  std::string message;  ///< one sentence for a person, safe to print
  bool died{};          ///< the process ended by itself or was killed by somebody else
};

}  // namespace dictum::transcription
