#include "child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

#include "base/event_fd.hpp"
#include "base/own_programs.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::workers {
namespace {

constexpr std::size_t kTail = 4096;  // of standard error

struct Pipe {
  UniqueFD read;
  UniqueFD write;

  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read = UniqueFD(ends[0]);
    write = UniqueFD(ends[1]);
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
  }
};

/// A program in a group of its own, which is killed and reaped at the end at the latest.
class Child {
 public:
  Child(const std::vector<std::string>& argv, int out, int err) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    ::sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    ::sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const std::string program = find_command(argv[0]);
    const int error = program.empty()
                          ? ENOENT
                          : ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      throw RecorderError(Errc::transcriber_missing,
                          fmt::format("{} cannot be started: {}", utf8::repaired(argv[0]), std::strerror(error)));
    }
    handle_ = UniqueFD(::pidfd_open(pid_, 0));
  }

  ~Child() {
    if (pid_ > 0) finish();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Readable once it has ended.
  int handle() const { return handle_.get(); }

  /// Kills what is left of the group, and returns how the program ended. Before the reaping its number is no other's.
  int finish() {
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  UniqueFD handle_;
};

/// Appends what can be read now. False once there will be no more.
bool drain(int fd, std::string& text, std::size_t most) {
  std::array<char, 65536> buffer;
  while (text.size() <= most) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

/// The same, keeping only the end of the text.
bool drain_tail(int fd, std::string& text) {
  std::string more;
  const bool open = drain(fd, more, std::size_t{1} << 20);
  text += more;
  if (text.size() > kTail) text.erase(0, text.size() - kTail);
  return open;
}

std::string last_line(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return "";
  text = text.substr(0, end + 1);
  const auto line = text.find_last_of("\r\n");
  return utf8::repaired(line == std::string_view::npos ? text : text.substr(line + 1));
}

}  // namespace

std::string find_command(const std::string& program) {
  if (program.find('/') != std::string::npos) return is_program(program) ? program : "";
  for (const std::filesystem::path folder : path_entries()) {
    if (folder.is_absolute() && is_program(folder / program)) return folder / program;
  }
  return {};
}

ChildOutput run_child(const std::vector<std::string>& argv, std::size_t most, std::stop_token cancelled) {
  const EventFD stop;
  const std::stop_callback wake(cancelled, [&stop] { stop.notify(); });
  Pipe out;
  Pipe err;
  Child child(argv, out.write.get(), err.write.get());
  out.write.reset();
  err.write.reset();

  ChildOutput output;
  std::string errors;
  for (bool ended = false; !ended;) {
    // A descriptor of -1 is passed over.
    std::array<pollfd, 4> ready{{{stop.get(), POLLIN, 0},
                                 {child.handle(), POLLIN, 0},
                                 {out.read.get(), POLLIN, 0},
                                 {err.read.get(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
    if (ready[0].revents != 0)
      throw RecorderError(Errc::cancelled, fmt::format("{} was cancelled", utf8::repaired(argv[0])));
    ended = ready[1].revents != 0;  // what it wrote before is in the pipes
    if (out.read && !drain(out.read.get(), output.text, most)) out.read.reset();
    if (err.read && !drain_tail(err.read.get(), errors)) err.read.reset();
    if (output.text.size() > most) {
      throw RecorderError(Errc::transcription_failed, fmt::format("{} printed more than {} KiB, which is no transcript",
                                                                  utf8::repaired(argv[0]), most >> 10));
    }
  }
  output.exit_code = child.finish();
  output.last_words = last_line(errors);
  return output;
}

}  // namespace dictum::workers
