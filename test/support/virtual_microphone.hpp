#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace dictum::test {

/// A microphone without hardware: a PulseAudio daemon of its own in a fresh folder, with the output `spk` and the input
/// `mic` that records what is played there, both mono at 48 kHz. While it lives, the environment of the process leads
/// every PulseAudio client to it, and ALSA's devices `default` and `mic` too, for PortAudio. Whatever it starts dies
/// with it, and with the process.
///
/// Threads: the test's. Throws std::runtime_error where something does not come about within five seconds.
class VirtualMicrophone {
 public:
  /// Whether the daemon and its tools are installed; a test that needs them skips itself otherwise.
  static bool is_available();

  VirtualMicrophone();
  ~VirtualMicrophone();
  VirtualMicrophone(const VirtualMicrophone&) = delete;
  VirtualMicrophone& operator=(const VirtualMicrophone&) = delete;

  // The daemon.
  void kill();     ///< SIGKILL, and waits for the end
  void restart();  ///< after `kill`
  void freeze();   ///< SIGSTOP
  void thaw();     ///< SIGCONT
  pid_t pid() const { return daemon_; }

  /// Runs `pactl` with these arguments and returns what it printed.
  std::string pactl(const std::vector<std::string>& arguments);

  void suspend(bool suspended);

  /// Removes `mic`; the daemon lives on.
  void unload();

  /// Loads an input `name` with these properties that records the output `spk`.
  void load(const std::string& name, int sample_rate = 48000, int channels = 1);

  /// Begins to play a sound file into the microphone.
  void play(const std::filesystem::path& file);

  /// Waits until what was begun has been played; false where it has not been in time.
  bool wait_until_played(std::chrono::milliseconds limit);

 private:
  void start();
  pid_t spawn(const std::vector<std::string>& command, int output) const;

  TemporaryDirectory folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> environment_before_;
  pid_t daemon_ = -1;
  pid_t player_ = -1;
  std::string module_;  // of `mic`
};

}  // namespace dictum::test

/// Skips the test, visibly, where there is no PulseAudio daemon to make a microphone with.
#define DICTUM_VIRTUAL_MICROPHONE_OR_SKIP()               \
  if (!::dictum::test::VirtualMicrophone::is_available()) \
  GTEST_SKIP() << "pulseaudio, pactl and paplay are not installed"
