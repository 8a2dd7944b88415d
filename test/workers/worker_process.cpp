#include "worker_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

extern char** environ;

namespace dictum::test {
namespace {

std::filesystem::path program(const std::string& name) {
  return std::filesystem::path(DICTUM_BIN_DIR) / ("dictum-worker-" + name);
}

}  // namespace

bool has_worker(const std::string& name) {
  return std::filesystem::exists(program(name));
}

WorkerProcess::WorkerProcess(const std::string& name, std::vector<std::string> environment,
                             std::vector<std::string> options) {
  ::signal(SIGPIPE, SIG_IGN);  // a worker that is gone shows as an error of write
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) fail("no pipe");
  const UniqueFD child_in(in[0]);
  const UniqueFD child_out(out[1]);
  input_ = UniqueFD(in[1]);
  output_ = UniqueFD(out[0]);
  log_ = UniqueFD(::memfd_create("log", MFD_CLOEXEC));

  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  std::string path = program(name);
  std::vector<char*> arguments{path.data()};
  for (std::string& option : options) arguments.push_back(option.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, child_in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log_.get(), STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    fail("cannot start " + path);
  }
}

WorkerProcess::~WorkerProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void WorkerProcess::send(const transcription::Message& message) {
  const std::string frame = transcription::encode(message);
  for (std::size_t done = 0; done < frame.size();) {
    const auto written = ::write(input_.get(), frame.data() + done, frame.size() - done);
    if (written <= 0) fail("cannot write to the worker");
    done += static_cast<std::size_t>(written);
  }
}

transcription::Message WorkerProcess::receive(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  std::array<std::byte, 65536> bytes;
  while (true) {
    if (auto message = reader_.next()) return *std::move(message);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{output_.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) fail("no answer in time");
    const auto got = ::read(output_.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail("the worker ended");
    reader_.feed(std::span(bytes).first(static_cast<std::size_t>(got)));
  }
}

transcription::Message WorkerProcess::answer_to(transcription::Job job) {
  job.id = ++jobs_;
  send(job);
  while (true) {
    auto message = receive();
    if (!std::holds_alternative<transcription::Progress>(message) &&
        !std::holds_alternative<transcription::Partial>(message)) {
      return message;
    }
  }
}

transcription::Result WorkerProcess::transcribe(transcription::Job job) {
  auto message = answer_to(std::move(job));
  if (const auto* error = std::get_if<transcription::Error>(&message)) fail(error->message);
  auto* result = std::get_if<transcription::Result>(&message);
  if (result == nullptr || result->id != jobs_) fail("the answer is for another job");
  return std::move(*result);
}

transcription::Error WorkerProcess::fail_at(transcription::Job job) {
  auto message = answer_to(std::move(job));
  if (auto* error = std::get_if<transcription::Error>(&message)) return std::move(*error);
  fail("the job did not fail");
}

int WorkerProcess::wait() {
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string WorkerProcess::log() const {
  std::string text(65536, '\0');
  const auto got = ::pread(log_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void WorkerProcess::fail(const std::string& why) const {
  throw std::runtime_error(why + "\n" + log());
}

}  // namespace dictum::test
