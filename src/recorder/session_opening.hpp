#pragma once

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "recorder/recorder_core.hpp"
#include "recorder/session_host.hpp"
#include "recorder/session_parts.hpp"
#include "recorder/session_runner.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/strands.hpp"
#include "recorder/time_source.hpp"

/// The start of a session, in coroutines on its `loop` strand: each part is opened on the strand that it may block.
/// They throw what prevents the start, `Errc::cancelled` where it was cancelled; what had been opened is then closed
/// again, each part on its strand.
namespace dictum::recorder {

/// What a new session is made of. Closed again where nobody takes it over.
struct OpenedSession {
  RecorderCore::Settings settings;
  OpenCapture capture;
  std::vector<EventError> warnings;
  SessionRunner transcriber;
  OnStrand<NewSession> files;
};

/// `calls` is the session's, which awaits this.
boost::asio::awaitable<OpenedSession> open_session(std::shared_ptr<SessionHost> host, Strands strands, TimeSource time,
                                                   StrandCalls* calls);

/// What a session is made of whose audio is on disk already.
struct ReopenedParts {
  RecorderCore::Settings settings;
  session::SessionWriter writer;
  std::vector<Event> journal;
  SessionRunner transcriber;
};

boost::asio::awaitable<ReopenedParts> reopen_session(std::shared_ptr<SessionHost> host, Strands strands,
                                                     TimeSource time, StrandCalls* calls, std::filesystem::path path);

}  // namespace dictum::recorder
