#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::test {

/// A worker program at the other end of the worker protocol, with a deadline on every answer. Killed at the end of the
/// test. Lives on the test's thread; every method throws std::runtime_error where the worker does not play along.
class WorkerProcess {
 public:
  /// Starts dictum-worker-NAME of this build; `environment` ("KEY=value") comes on top of the test's own.
  explicit WorkerProcess(const std::string& name, std::vector<std::string> environment = {},
                         std::vector<std::string> options = {});
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void send(const transcription::Message& message);

  /// The next message, whatever it is.
  transcription::Message receive(std::chrono::milliseconds within = std::chrono::seconds(60));

  /// The next message as a T; an error in its place is thrown as its sentence.
  template <typename T>
  T expect() {
    auto message = receive();
    if (const auto* error = std::get_if<transcription::Error>(&message); error != nullptr) fail(error->message);
    if (auto* expected = std::get_if<T>(&message); expected != nullptr) return std::move(*expected);
    fail("unexpected message: " + std::string(transcription::type_name(message)));
  }

  /// One job, answered; the ids count up.
  transcription::Result transcribe(transcription::Job job);

  /// The same, for a job that must fail.
  transcription::Error fail_at(transcription::Job job);

  /// Waits for the end of the process; its exit code, or minus the signal's number.
  int wait();

  pid_t pid() const { return pid_; }

  /// What it wrote to standard error so far.
  std::string log() const;

 private:
  transcription::Message answer_to(transcription::Job job);
  [[noreturn]] void fail(const std::string& why) const;

  UniqueFD input_;
  UniqueFD output_;
  UniqueFD log_;
  pid_t pid_ = -1;
  std::uint64_t jobs_ = 0;
  transcription::FrameReader reader_;
};

/// True where the build has dictum-worker-NAME.
bool has_worker(const std::string& name);

}  // namespace dictum::test
