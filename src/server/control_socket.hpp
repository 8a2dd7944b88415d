#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/unique_fd.hpp"

namespace dictum::server {

/// Where a server is controlled unless somebody says otherwise: `$XDG_RUNTIME_DIR/dictum/control.sock`; empty where
/// that variable is not an absolute path. Any thread.
std::filesystem::path default_control_socket();

/// A Unix-domain socket that listens, for this user alone (mode 0600); its file is removed with it. What a server that
/// was killed has left is replaced. Owner: the server.
class ControlSocket {
 public:
  /// Throws RecorderError: invalid_argument for a path that is too long; device_busy where another server listens
  /// there, or the path is something else than a socket; output_unwritable.
  explicit ControlSocket(std::filesystem::path path);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  /// The socket, once; the caller's from then on.
  UniqueFD take() { return std::move(socket_); }

 private:
  const std::filesystem::path path_;
  UniqueFD socket_;
  dev_t device_{};  // of the file that is ours, so that no other is removed
  ino_t inode_{};
};

}  // namespace dictum::server
