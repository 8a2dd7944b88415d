#include "server/hook_runner.hpp"

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
#include <map>
#include <optional>
#include <system_error>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

#include "base/spawn_options.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"

namespace dictum::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTailBytes = 4096;  // of standard error, kept to explain a failure

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    reading = UniqueFD(ends[0]);
    writing = UniqueFD(ends[1]);
  }
  UniqueFD reading;
  UniqueFD writing;
};

/// A process of the user's program, in a group of its own. Killed and reaped with this.
class Program {
 public:
  Program(const std::vector<std::string>& command, int in, int err) {
    SpawnOptions options;
    options.place(in, STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(options.actions(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    options.place(err, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    error_ =
        ::posix_spawnp(&pid_, arguments.front(), options.actions(), options.attributes(), arguments.data(), environ);
    if (error_ != 0) return;
    ended_ = UniqueFD(::pidfd_open(pid_, 0));
    if (!ended_) error_ = errno;
  }
  ~Program() {
    if (pid_ <= 0 || is_reaped_) return;
    ::kill(-pid_, SIGKILL);
    reap();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// errno where it could not be started.
  int error() const { return error_; }

  /// Readable once it has ended.
  int ended() const { return ended_.get(); }

  /// Waits for its end.
  siginfo_t reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    is_reaped_ = true;
    return info;
  }

 private:
  pid_t pid_ = -1;
  int error_ = 0;
  UniqueFD ended_;
  bool is_reaped_ = false;
};

/// What is there of a pipe. False at its end.
bool read_some(int fd, std::string& text) {
  std::array<char, kTailBytes> piece{};
  const ssize_t got = ::read(fd, piece.data(), piece.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  text.append(piece.data(), static_cast<std::size_t>(got));
  if (text.size() > kTailBytes) text.erase(0, text.size() - kTailBytes);
  return got > 0;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t before = text.rfind('\n');
  return utf8::on_one_line(before == std::string_view::npos ? text : text.substr(before + 1));
}

std::string why_it_failed(const siginfo_t& info, std::string_view tail) {
  if (info.si_code == CLD_EXITED && info.si_status == 0) return {};
  const std::string what = info.si_code == CLD_EXITED ? fmt::format("ended with exit code {}", info.si_status)
                                                      : fmt::format("was ended by signal {}", info.si_status);
  const std::string line = last_line(tail);
  return line.empty() ? what + "." : fmt::format("{}: {}", what, line);
}

}  // namespace

HookSettings read_hooks(const std::filesystem::path& file) {
  HookSettings hooks;
  if (file.empty()) return hooks;
  for (auto& [key, command] : read_config_lists(file, "hooks")) {
    std::vector<std::string>* const place = key == "on_text"   ? &hooks.on_text
                                            : key == "on_note" ? &hooks.on_note
                                                               : nullptr;
    if (place == nullptr) {
      throw RecorderError(
          Errc::config_invalid,
          fmt::format("{}: There is no setting hooks.{}: on_text and on_note are.", file.string(), key));
    }
    if (command.empty() || command.front().empty()) {
      throw RecorderError(Errc::config_invalid,
                          fmt::format("{}: hooks.{} has to be a program and its arguments, like [\"notify-send\", "
                                      "\"Dictum\"].",
                                      file.string(), key));
    }
    *place = std::move(command);
  }
  return hooks;
}

HookRunner::HookRunner(HookSettings settings, Report report, std::chrono::milliseconds time_limit)
    : settings_(std::move(settings)), report_(std::move(report)), time_limit_(time_limit) {}

HookRunner::~HookRunner() {
  finish(std::chrono::milliseconds(0));
}

void HookRunner::take(const Event& event) {
  if (settings_.is_empty()) return;
  const std::lock_guard lock(mutex_);
  if (event.sequence == 0) texts_.clear();
  if (const auto* const text = std::get_if<TranscriptionComplete>(&event.body)) {
    if (!text->success || text->edited || text->text.empty()) return;
    if (texts_.emplace(event.session, text->segment_index).second) add("on_text", settings_.on_text, event);
  } else if (const auto* const note = std::get_if<NoteCompleted>(&event.body)) {
    if (note->revision == 0) add("on_note", settings_.on_note, event);
  }
}

void HookRunner::add(const char* hook, const std::vector<std::string>& command, const Event& event) {
  if (command.empty() || is_ending_) return;
  if (waiting_.size() >= kMaxWaiting) {
    ++dropped_;
    return;
  }
  waiting_.push_back({hook, &command, event.session, event.to_json() + "\n"});
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void HookRunner::finish(std::chrono::milliseconds patience) {
  {
    std::unique_lock lock(mutex_);
    is_ending_ = true;
    changed_.wait_for(lock, patience, [this] { return waiting_.empty() && !is_running_; });
    waiting_.clear();
  }
  changed_.notify_all();
  killed_.notify();
  if (thread_.joinable()) thread_.join();
}

void HookRunner::run() {
  sigset_t signals;  // a program that does not read is an error of a write
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || is_ending_; });
    if (waiting_.empty()) return;
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    const std::size_t dropped = std::exchange(dropped_, 0);
    is_running_ = true;
    lock.unlock();
    if (dropped > 0) {
      report_(job.session,
              fmt::format("The programs of [hooks] take longer than people speak, and were left out {} time{}.",
                          dropped, dropped == 1 ? "" : "s"));
    }
    const std::string failure = run(job);
    if (!failure.empty()) {
      report_(job.session,
              fmt::format("The hook {} ({}) {}", job.hook, utf8::on_one_line(job.command->front()), failure));
    }
    lock.lock();
    is_running_ = false;
    changed_.notify_all();
  }
}

std::string HookRunner::run(const Job& job) const {
  Pipe in;
  Pipe err;
  if (!in.writing || !err.reading) return fmt::format("could not be started: {}.", reason_of(errno));
  for (const int ours : {in.writing.get(), err.reading.get()}) ::fcntl(ours, F_SETFL, O_NONBLOCK);
  Program program(*job.command, in.reading.get(), err.writing.get());
  if (program.error() != 0) {
    return fmt::format("could not be started: {}. Correct [hooks] in the configuration file.",
                       reason_of(program.error()));
  }
  in.reading.reset();
  err.writing.reset();
  const auto deadline = Clock::now() + time_limit_;
  std::string_view unsent = job.json;
  std::string tail;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
      return fmt::format("was killed, as it took more than {:g} s.",
                         std::chrono::duration<double>(time_limit_).count());
    std::array<pollfd, 4> fds{{{program.ended(), POLLIN, 0},
                               {killed_.get(), POLLIN, 0},
                               {err.reading.get(), POLLIN, 0},
                               {in.writing.get(), POLLOUT, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) return "could not be waited for.";
    if (fds[2].revents != 0 && !read_some(err.reading.get(), tail)) err.reading.reset();
    if (fds[0].revents != 0) {
      const siginfo_t info = program.reap();
      return why_it_failed(info, tail);
    }
    if (fds[1].revents != 0) return "was killed at the end of the recording.";
    if (fds[3].revents == 0) continue;
    const ssize_t sent = ::write(in.writing.get(), unsent.data(), unsent.size());
    if (sent > 0) unsent.remove_prefix(static_cast<std::size_t>(sent));
    const bool has_failed = sent < 0 && errno != EAGAIN && errno != EINTR;  // it does not read, which it need not
    if (unsent.empty() || has_failed) in.writing.reset();
  }
}

}  // namespace dictum::server
