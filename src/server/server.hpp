#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "server/hook_runner.hpp"
#include "server/limits.hpp"
#include "server/log.hpp"
#include "server/service_manager.hpp"
#include "server/token_list.hpp"

namespace dictum::server {

struct ServerSettings {
  std::string address = "127.0.0.1";      ///< in numbers
  std::uint16_t port = 0;                 ///< 0: a free one
  TokenList tokens;                       ///< without any, everybody who reaches the address is let in
  std::vector<std::string> hosts;         ///< names that lead here, besides localhost
  std::filesystem::path tls_certificate;  ///< in PEM, as its key; without them connections are not encrypted
  std::filesystem::path tls_key;
  std::filesystem::path control;     ///< a Unix-domain socket whose clients need no token; empty: none
  bool is_control_optional = false;  ///< where another server has it, this one goes without
  HookSettings hooks;                ///< of the server's own recordings
  std::function<void(const std::string&)> on_notice =
      {};  ///< a sentence for a person, where there is no log; any thread
  LogFormat log = LogFormat::none;
  int log_file = 2;  ///< where it goes; a descriptor that stays open
  Limits limits;
};

/// A recorder and its library for other programs, over HTTP.
///
/// Threads: one of its own for connections, four for files, and those of the recorder. Methods may be called from any
/// thread. Owner: the program.
class Server {
 public:
  /// Listens from now on; sockets that are `passed` go before those of the settings. Throws RecorderError:
  /// invalid_argument for an address that is none, or that other machines can reach where there are no tokens;
  /// device_busy for a port or a control socket that is taken; config_invalid; as `make_tls_server`.
  Server(RecorderConfig config, ServerSettings settings, PassedSockets passed = {});

  /// As `stop`.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "http://127.0.0.1:43211", "https://…" with TLS.
  std::string url() const;

  /// Where it listens, in numbers.
  std::string address() const;

  /// Why there is no control socket, where it was optional; empty otherwise.
  std::string control_problem() const;

  /// A warning for the log; for `on_notice` where there is none.
  void notify(const std::string& sentence);

  /// Ends the recording, without waiting for its texts, then the streams of events, behind the last event, then the
  /// rest. Takes what ending the recording takes (see `stop_recording`), two seconds for clients, one for hooks, and
  /// what is under way on files: an export or a check of a long session is not cut short.
  void stop();

 private:
  class Loop;
  const std::unique_ptr<Loop> loop_;
};

/// Whether an address in numbers is this machine's alone.
bool is_loopback(const std::string& address);

}  // namespace dictum::server
