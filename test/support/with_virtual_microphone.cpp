// Runs a program while a sound file is played into a virtual microphone, which is its default one.
//
//   with_virtual_microphone FILE PROGRAM [ARGUMENT...]
//
// Ends as the program does; with 77, which skips a test, where no virtual microphone can be made.

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <iostream>

#include "support/virtual_microphone.hpp"

namespace {

constexpr int kSkipped = 77;

int run(char** command) {
  pid_t child = 0;
  if (::posix_spawn(&child, command[0], nullptr, nullptr, command, environ) != 0) return 126;
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  if (!dictum::test::VirtualMicrophone::is_available()) {
    std::cerr << "pulseaudio, pactl and paplay are not installed" << std::endl;
    return kSkipped;
  }
  try {
    dictum::test::VirtualMicrophone microphone;
    microphone.play(arguments[1]);
    return run(arguments + 2);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
