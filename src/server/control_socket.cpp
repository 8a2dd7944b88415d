#include "server/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "base/private_folders.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"

namespace dictum::server {
namespace {

namespace fs = std::filesystem;

constexpr int kWaiting = 64;  // connections that are not accepted yet
constexpr mode_t kForTheUser = 0600;

[[noreturn]] void refuse(Errc code, const fs::path& path, std::string_view why) {
  throw RecorderError(code, fmt::format("Cannot be controlled at '{}': {}.", path.string(), why));
}

[[noreturn]] void refuse(const fs::path& path, int error) {
  refuse(Errc::output_unwritable, path, std::generic_category().message(error));
}

UniqueFD new_socket(const fs::path& path) {
  UniqueFD made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) refuse(path, errno);
  return made;
}

/// Removes a socket that nobody listens on. Throws where somebody does, or something else is there.
void remove_stale(const fs::path& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) refuse(Errc::device_busy, path, "there is a file of that name, which is no socket");
  const UniqueFD probe = new_socket(path);
  const bool is_listening =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
  if (is_listening) refuse(Errc::device_busy, path, "another server is controlled there. Give another --control");
  if (errno != ECONNREFUSED) refuse(path, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) refuse(path, errno);
}

}  // namespace

fs::path default_control_socket() {
  const fs::path folder = environment("XDG_RUNTIME_DIR");
  return folder.is_absolute() ? folder / "dictum" / "control.sock" : fs::path();
}

ControlSocket::ControlSocket(fs::path path) : path_(fs::absolute(path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path_.string();
  if (name.size() >= sizeof address.sun_path) {
    refuse(Errc::invalid_argument, path_,
           fmt::format("the path of a socket has at most {} bytes", sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (const auto error = make_private_folders(path_.parent_path())) refuse(path_, error.value());
  // Two servers that start at once must not both take the name for stale: one removes what the other has just made.
  const UniqueFD folder(::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) refuse(path_, errno);
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse(Errc::device_busy, path_, "another server is starting there. Start this one again");
  }
  remove_stale(path_, address);
  socket_ = new_socket(path_);
  // Linux makes the file with the socket's mode, so at no moment can anybody else connect.
  ::fchmod(socket_.get(), kForTheUser);
  struct stat status{};
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path_.c_str(), kForTheUser) != 0 || ::lstat(path_.c_str(), &status) != 0 ||
      ::listen(socket_.get(), kWaiting) != 0) {
    refuse(path_, errno);
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

ControlSocket::~ControlSocket() {
  struct stat status{};
  if (inode_ == 0 || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace dictum::server
