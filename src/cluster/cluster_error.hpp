#pragma once

#include <string>

#include "dictum/error.hpp"

namespace dictum::cluster {

/// Why the cluster did not do what it was asked.
enum class Trouble {
  unreachable,   ///< no server answers, or the connection is interrupted
  refused,       ///< the server does not accept this user, or does not allow what was asked
  no_jetstream,  ///< the server runs without JetStream
  no_stream,     ///< a stream or consumer is missing
  incomplete,    ///< pieces of a message are missing, or are those of another one
  full,          ///< a stream has reached its bounds
  other,
};

/// What the layer over NATS throws. None of it is the fault of a job: the job waits, and is tried again.
class ClusterError : public RecorderError {
 public:
  ClusterError(Trouble trouble, const std::string& sentence)
      : RecorderError(Errc::transcription_failed, sentence), trouble_(trouble) {}

  Trouble trouble() const { return trouble_; }

 private:
  Trouble trouble_;
};

}  // namespace dictum::cluster
