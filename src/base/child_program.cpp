#include "base/child_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

#include "base/own_programs.hpp"
#include "base/spawn_options.hpp"

namespace dictum {

ChildProgram::ChildProgram(const std::vector<std::string>& command, int in, int out, int err, int kept) {
  SpawnOptions options;
  for (const auto& [descriptor, place] :
       {std::pair{in, STDIN_FILENO}, std::pair{out, STDOUT_FILENO}, std::pair{err, STDERR_FILENO}}) {
    if (descriptor >= 0) {
      options.place(descriptor, place);
    } else {
      const int mode = place == STDIN_FILENO ? O_RDONLY : O_WRONLY;
      ::posix_spawn_file_actions_addopen(options.actions(), place, "/dev/null", mode, 0);
    }
  }
  options.close_from(STDERR_FILENO + 1, kept);
  std::vector<char*> arguments;
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  std::string program = find_command(command.front());
  const bool is_path = command.front().find('/') != std::string::npos;
  if (program.empty() && is_path) program = command.front();  // the start says what is wrong with it
  error_ = program.empty() ? ENOENT
                           : ::posix_spawn(&pid_, program.c_str(), options.actions(), options.attributes(),
                                           arguments.data(), environ);
  if (error_ != 0) {
    pid_ = -1;
    return;
  }
  ended_ = UniqueFD(::pidfd_open(pid_, 0));
  if (!ended_) error_ = errno;
}

ChildProgram::~ChildProgram() {
  if (pid_ < 0) return;
  kill();
  wait();
}

void ChildProgram::kill() const {
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // which may have left its group
}

int ChildProgram::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace dictum
