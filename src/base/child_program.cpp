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

namespace {

/// NAME=VALUE of each variable of this process, with those of `own` in place of the same names.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& own) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : own) variables.push_back(name + "=" + value);
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string variable = *each;
    if (!own.contains(variable.substr(0, variable.find('=')))) variables.push_back(variable);
  }
  return variables;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& each : texts) all.push_back(const_cast<char*>(each.c_str()));
  all.push_back(nullptr);
  return all;
}

}  // namespace

ChildProgram::ChildProgram(const std::vector<std::string>& command, int in, int out, int err, int kept,
                           const std::map<std::string, std::string>& environment) {
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
  const std::vector<std::string> variables = environment_with(environment);
  std::string program = find_command(command.front());
  const bool is_path = command.front().find('/') != std::string::npos;
  if (program.empty() && is_path) program = command.front();  // the start says what is wrong with it
  error_ = program.empty() ? ENOENT
                           : ::posix_spawn(&pid_, program.c_str(), options.actions(), options.attributes(),
                                           pointers(command).data(), pointers(variables).data());
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
