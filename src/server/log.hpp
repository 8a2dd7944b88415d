#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "dictum/event.hpp"

namespace dictum::server {

/// How a log is written: not at all, a line of "name=value" for each entry, or a JSON object on a line.
enum class LogFormat { none, text, json };
enum class LogLevel { info, warning, error };

/// A log of what a server does, for people and for programs that collect logs: entries with fields, each on one line of
/// at most `kMaxLine` bytes, without control characters (docs/server.md has the names). A reader that is slow or gone
/// holds nobody up: lines that do not fit the queue are left out, and counted.
///
/// Threads: one of its own that writes. Methods may be called from any thread, and do not wait for it. Owner: the
/// server. Whoever adds an entry takes care that it has no token, no text that was said, and nothing of an address
/// behind its "?".
class Log {
 public:
  static constexpr std::size_t kMaxLine = 4096;     // bytes, which a pipe takes whole or not at all
  static constexpr std::size_t kMaxWaiting = 1024;  // lines

  /// Writes to `fd`, which stays the caller's.
  Log(LogFormat format, int fd);

  /// Waits a second for what is not written yet; more than that is left out.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool is_on() const noexcept { return state_ != nullptr; }

  /// Adds an entry; nothing where the log is off.
  void add(LogLevel level, std::string_view event, boost::json::object fields);

  /// Adds what operators want of a recorder's event: when a recording begins and ends, gaps and faults. Of a fault its
  /// code alone, as its sentence may have what a program wrote; the sentence is in the session's journal.
  void add(const Event& event);

  /// Lines that were left out so far.
  std::uint64_t dropped() const;

 private:
  struct State;
  const LogFormat format_;
  const std::shared_ptr<State> state_;  // null where the log is off; the thread may outlive the log
  std::thread thread_;
};

/// One line of a log, with its end. `time` in UTC. Any thread; no state.
std::string log_line(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                     std::string_view event, const boost::json::object& fields);

}  // namespace dictum::server
