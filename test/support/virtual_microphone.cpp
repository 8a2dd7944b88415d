#include "support/virtual_microphone.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

// The sanitizers cannot see into the sound libraries, which are not built for them: libpulse hands packets around
// without locks, and the plugins that PortAudio has ALSA load leak and are unloaded again. What they report of those
// alone is left out in every program with a virtual microphone.
extern "C" {
__attribute__((visibility("default"))) const char* __tsan_default_suppressions();
__attribute__((visibility("default"))) const char* __asan_default_options();

const char* __tsan_default_suppressions() {
  return "race:libpulse\nrace:libportaudio\nrace:libasound\n";
}
const char* __asan_default_options() {
  return "detect_leaks=0";
}
}

namespace dictum::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;

using Deadline = std::chrono::steady_clock::time_point;

int left_ms(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

/// True once the process has ended, which is waited for on a descriptor of it.
bool wait_for_end(pid_t pid, Deadline deadline) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd event{handle, POLLIN, 0};
  const bool ended = ::poll(&event, 1, left_ms(deadline)) == 1;
  ::close(handle);
  if (ended) ::waitpid(pid, nullptr, 0);
  return ended;
}

bool answers(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(handle);
  return connected;
}

}  // namespace

bool VirtualMicrophone::is_available() {
  for (const char* program : {"pulseaudio", "pactl", "paplay"}) {
    if (::access((std::string("/usr/bin/") + program).c_str(), X_OK) != 0) return false;
  }
  return true;
}

VirtualMicrophone::VirtualMicrophone() {
  const std::string folder = folder_.path().string();
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"XDG_RUNTIME_DIR", folder},
                                    {"HOME", folder},
                                    {"XDG_CONFIG_HOME", folder},
                                    {"PULSE_SERVER", "unix:" + folder + "/pulse.sock"}}) {
    const char* before = std::getenv(name.c_str());
    environment_before_.emplace_back(name, before != nullptr ? std::optional<std::string>(before) : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  // The last module opens the door, so whoever can come in finds everything.
  std::ofstream(folder_ / "daemon.pa")
      << "load-module module-null-sink sink_name=spk format=float32le rate=48000 channels=1 norewinds=1\n"
      << "load-module module-remap-source master=spk.monitor source_name=mic format=float32le channels=1 remix=no\n"
      << "set-default-source mic\n"
      << "load-module module-native-protocol-unix auth-anonymous=1 socket=" << folder << "/pulse.sock\n";
  std::ofstream(folder_ / ".asoundrc") << "pcm.!default { type pulse hint { show on description \"default\" } }\n"
                                       << "ctl.!default { type pulse }\n"
                                       << "pcm.mic { type pulse device mic hint { show on description \"mic\" } }\n";
  start();
}

VirtualMicrophone::~VirtualMicrophone() {
  if (player_ > 0) {
    ::kill(player_, SIGKILL);
    ::waitpid(player_, nullptr, 0);
  }
  kill();
  for (const auto& [name, value] : environment_before_) {
    if (value) {
      ::setenv(name.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name.c_str());
    }
  }
}

void VirtualMicrophone::start() {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  const auto socket = folder_ / "pulse.sock";
  std::filesystem::remove(socket);
  const int watch = ::inotify_init1(IN_CLOEXEC);
  ::inotify_add_watch(watch, folder_.path().c_str(), IN_CREATE | IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE);
  const int log = ::open((folder_ / "daemon.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  daemon_ = spawn({"/usr/bin/pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no",
                   "--high-priority=no", "-F", (folder_ / "daemon.pa").string()},
                  log);
  ::close(log);
  bool ready = false;
  while (!(ready = answers(socket)) && left_ms(deadline) > 0) {
    // Nothing reports when the new socket begins to listen, so that moment alone is polled, every 5 ms.
    pollfd event{watch, POLLIN, 0};
    ::poll(&event, 1, std::filesystem::exists(socket) ? 5 : left_ms(deadline));
    char events[4096];
    if (event.revents != 0 && ::read(watch, events, sizeof events) < 0) break;
  }
  ::close(watch);
  if (!ready) throw std::runtime_error("the PulseAudio daemon does not answer");
  module_.clear();
}

pid_t VirtualMicrophone::spawn(const std::vector<std::string>& command, int output) const {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (output >= 0) {
      ::dup2(output, STDOUT_FILENO);
      ::dup2(output, STDERR_FILENO);
    }
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  return child;
}

void VirtualMicrophone::kill() {
  if (daemon_ <= 0) return;
  ::kill(daemon_, SIGKILL);
  ::waitpid(daemon_, nullptr, 0);
  daemon_ = -1;
}

void VirtualMicrophone::restart() {
  kill();
  start();
}

void VirtualMicrophone::freeze() {
  ::kill(daemon_, SIGSTOP);
}

void VirtualMicrophone::thaw() {
  ::kill(daemon_, SIGCONT);
}

std::string VirtualMicrophone::pactl(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  std::vector<std::string> command{"/usr/bin/pactl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const pid_t child = spawn(command, ends[1]);
  ::close(ends[1]);
  const bool ended = wait_for_end(child, std::chrono::steady_clock::now() + kPatience);
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  std::string text;
  char part[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (!ended) throw std::runtime_error("pactl does not end");
  return text;
}

void VirtualMicrophone::suspend(bool suspended) {
  pactl({"suspend-source", "mic", suspended ? "1" : "0"});
}

void VirtualMicrophone::unload() {
  pactl({"unload-module", module_.empty() ? "module-remap-source" : module_});
}

void VirtualMicrophone::load(const std::string& name, int sample_rate, int channels) {
  module_ =
      pactl({"load-module", "module-remap-source", "master=spk.monitor", "source_name=" + name, "format=float32le",
             "rate=" + std::to_string(sample_rate), "channels=" + std::to_string(channels), "remix=yes"});
  module_.erase(module_.find_last_not_of(" \n") + 1);
  pactl({"set-default-source", name});
}

void VirtualMicrophone::play(const std::filesystem::path& file) {
  player_ = spawn({"/usr/bin/paplay", "-d", "spk", file.string()}, -1);
}

bool VirtualMicrophone::wait_until_played(std::chrono::milliseconds limit) {
  if (player_ <= 0 || !wait_for_end(player_, std::chrono::steady_clock::now() + limit)) return false;
  player_ = -1;
  return true;
}

}  // namespace dictum::test
