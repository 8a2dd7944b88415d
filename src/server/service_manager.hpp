#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/unique_fd.hpp"

/// What systemd and a service exchange, over its environment, descriptors and one socket. Without a
/// service manager nothing happens.
namespace dictum::server {

/// Sockets that listen already, as a socket unit has opened them; invalid where there is none.
struct PassedSockets {
  UniqueFD tcp;
  UniqueFD control;  ///< a Unix-domain socket
};

inline constexpr int kFirstPassed = 3;

/// Takes them ($LISTEN_PID, $LISTEN_FDS), and removes the variables, so that no child takes them for its own. To be
/// called before there are threads. Throws RecorderError(config_invalid) for others than these two. `first`: of tests.
PassedSockets take_passed_sockets(int first = kFirstPassed);

/// Sends a state to $NOTIFY_SOCKET: "READY=1", "STOPPING=1", "WATCHDOG=1". Does not block. False where there is no
/// service manager, or it does not take it. Any thread.
bool notify_service_manager(std::string_view state) noexcept;

/// How often the service manager wants to receive "WATCHDOG=1"; empty where it does not.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace dictum::server
