#include "transcription/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

#include "base/spawn_options.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "transcription/worker_environment.hpp"
#include "transcription/worker_lookup.hpp"

namespace dictum::transcription {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

/// How long a guard may take to end once its lifeline has, before it is killed like any process.
constexpr auto kGuardGrace = 500ms;

/// How long a worker may live on after it closed its frame channel.
constexpr auto kSilentGrace = 200ms;

constexpr std::size_t kTailBytes = 4096;  // of standard error, kept to explain an end
// Exit codes of shells, and of the guard, for a program that cannot be run.
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

constexpr std::size_t kMaxHelloBytes = std::size_t{1} << 20;

[[noreturn]] void cannot_start(const WorkerCommand& command, std::string_view step, int error) {
  const bool lacks_program = error == ENOENT || error == EACCES || error == ENOTDIR || error == ENOEXEC;
  throw WorkerStartError(lacks_program ? FailureCause::settings : FailureCause::outside,
                         fmt::format("The transcriber {} cannot be started ({}: {}).",
                                     utf8::on_one_line(command.executable.string()), step, std::strerror(error)));
}

/// `fd` moved out of the range that a child's standard streams occupy: the host may have closed its own.
UniqueFD above_standard(UniqueFD fd) {
  if (fd.get() > 9) return fd;
  return UniqueFD(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
}

struct Pair {
  UniqueFD ours;
  UniqueFD theirs;
};

/// Two connected descriptors from `make`, ours first.
template <class Make>
Pair connected(const WorkerCommand& command, std::string_view step, Make make) {
  int ends[2];
  if (make(ends) != 0) cannot_start(command, step, errno);
  Pair pair{UniqueFD(ends[0]), UniqueFD(ends[1])};
  pair.ours = above_standard(std::move(pair.ours));
  pair.theirs = above_standard(std::move(pair.theirs));
  if (!pair.ours || !pair.theirs) cannot_start(command, step, errno);
  return pair;
}

int make_sockets(int* ends) {
  return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

/// For standard error, since a program may open /dev/stderr, which does not work with a socket.
int make_pipe(int* ends) {
  return ::pipe2(ends, O_CLOEXEC);
}

/// The environment of `command`'s worker, as exec wants it.
class Environment {
 public:
  explicit Environment(const WorkerCommand& command) {
    std::vector<std::string_view> host;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      if (!command.environment.contains(std::string(text.substr(0, text.find('='))))) host.push_back(text);
    }
    const std::string file = command.executable.filename().string();
    entries_ = worker_environment(
        host, file.starts_with(kWorkerPrefix) ? std::string_view(file).substr(kWorkerPrefix.size()) : file);
    for (const auto& [name, value] : command.environment) entries_.push_back(name + "=" + value);
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }

  char** get() { return pointers_.data(); }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

/// Whether a process raises `signal` by an error of its own; others are sent by somebody else.
bool is_fault(int signal) {
  constexpr std::array kFaults{SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP, SIGPIPE, SIGXCPU, SIGXFSZ};
  return std::ranges::find(kFaults, signal) != kFaults.end();
}

/// The guard's process, our child. Reaped when it is destroyed at the latest.
class Guard {
 public:
  Guard(const WorkerCommand& command, const Pair& frames, const Pair& errors, Pair lifeline)
      : lifeline_(std::move(lifeline.ours)) {
    SpawnOptions options;
    const std::pair<int, int> places[] = {
        {frames.theirs.get(), 0}, {frames.theirs.get(), 1}, {errors.theirs.get(), 2}, {lifeline.theirs.get(), 3}};
    for (const auto& [from, to] : places) options.place(from, to);

    std::vector<std::string> words{command.guard.string(), std::to_string(::getpid()),
                                   std::to_string(command.memory_cap), command.executable.string()};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    Environment environment(command);

    if (::access(command.executable.c_str(), X_OK) != 0) cannot_start(command, "the program", errno);
    const int error = ::posix_spawn(&pid_, command.guard.c_str(), options.actions(), options.attributes(),
                                    arguments.data(), environment.get());
    if (error != 0) cannot_start(command, command.guard.string(), error);
    ended_ = UniqueFD(::pidfd_open(pid_, 0));
    if (!ended_) {
      const int problem = errno;
      let_go();
      reap(0);
      cannot_start(command, "pidfd_open", problem);
    }
  }

  /// Waits for the end of the guard where it was not reaped yet: milliseconds, or kGuardGrace on a stuck machine.
  ~Guard() {
    if (pid_ <= 0) return;
    let_go();
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*let_go_at_ + kGuardGrace - std::chrono::steady_clock::now());
    pollfd end{ended_.get(), POLLIN, 0};
    if (::poll(&end, 1, static_cast<int>(std::max(left, 0ms).count())) <= 0) ::kill(-pid_, SIGKILL);
    reap();
  }

  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Readable once the guard has ended.
  int ended() const { return ended_.get(); }

  /// The guard kills everything and ends.
  void let_go() {
    lifeline_.reset();
    if (!let_go_at_) let_go_at_ = std::chrono::steady_clock::now();
  }

  struct End {
    FailureCause cause = FailureCause::worker;
    std::string how = "ended";  ///< as people say it
  };

  /// After the end.
  End reap(int options = WNOHANG) {
    const pid_t pid = std::exchange(pid_, 0);
    siginfo_t info{};
    const auto wait = [&](int how) {
      return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | how) == 0 && info.si_pid == pid;
    };
    if (!wait(options | WNOWAIT)) return {};  // the host reaps all its children itself
    // While the guard is a zombie its group's number cannot be given to anybody else. If the guard itself was killed,
    // this is what reaches the worker's own children.
    ::kill(-pid, SIGKILL);
    wait(options);
    if (info.si_code == CLD_EXITED) {
      const bool is_not_found = info.si_status == kNotFound || info.si_status == kNotExecutable;
      return {is_not_found ? FailureCause::settings : FailureCause::worker,
              fmt::format("ended with exit code {}", info.si_status)};
    }
    const char* const name = ::sigabbrev_np(info.si_status);
    return {is_fault(info.si_status) ? FailureCause::worker : FailureCause::outside,
            fmt::format("was ended by signal {} (SIG{})", info.si_status, name ? name : "?")};
  }

 private:
  UniqueFD lifeline_;
  UniqueFD ended_;
  pid_t pid_ = 0;
  std::optional<std::chrono::steady_clock::time_point> let_go_at_;
};

/// The end of what a worker printed.
class Tail {
 public:
  void add(std::string_view text) {
    text_ += text;
    if (text_.size() > 2 * kTailBytes) text_.erase(0, text_.size() - kTailBytes);
  }

  /// The last line that says something, for the end of a sentence.
  std::string last_line() const {
    const auto end = text_.find_last_not_of(" \r\n\t");
    if (end == std::string::npos) return {};
    const auto begin = text_.find_last_of('\n', end) + 1;  // npos + 1 is 0
    return utf8::on_one_line(std::string_view(text_).substr(begin, std::min<std::size_t>(end + 1 - begin, 300)));
  }

 private:
  std::string text_;
};

/// What the handlers share. It lives until the last of them has run, and that is when the guard has been reaped.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(const asio::any_io_executor& executor, const WorkerCommand& command, WorkerEvents events)
      : Link(executor, command, std::move(events), connected(command, "frame channel", make_sockets),
             connected(command, "standard error", make_pipe), connected(command, "lifeline", make_sockets)) {}

  void begin() {
    reader_.limit(kMaxHelloBytes);
    read_frames();
    read_errors();
    wait_for_end();
  }

  void limit_frames(std::size_t bytes) { reader_.limit(bytes); }

  void send(const Message& message) {
    if (over_) return;
    outgoing_.push_back(encode(message));
    if (outgoing_.size() == 1) write();
  }

  /// Kills the worker without a report; the guard is reaped once it has cleaned up.
  void kill() {
    over_ = true;
    events_ = {};
    close();
  }

 private:
  Link(const asio::any_io_executor& executor, const WorkerCommand& command, WorkerEvents events, Pair frames,
       Pair errors, Pair lifeline)
      : events_(std::move(events)),
        guard_(command, frames, errors, std::move(lifeline)),
        frames_(executor),
        errors_(executor),
        ended_(executor),
        silence_(executor) {
    try {
      frames_.assign(asio::local::stream_protocol(), frames.ours.get());
      frames.ours.release();
      errors_.assign(errors.ours.get());
      errors.ours.release();
      ended_.assign(guard_.ended());
    } catch (const boost::system::system_error& problem) {
      cannot_start(command, "event loop", problem.code().value());
    }
  }

 public:
  ~Link() { ended_.release(); }  // the guard's

 private:
  void read_frames() {
    ++reads_;
    frames_.async_receive(asio::buffer(input_), [self = shared_from_this()](error_code error, std::size_t count) {
      --self->reads_;
      if (self->over_ || (!error && !self->take({self->input_.data(), count}))) return;
      if (self->end_) return self->report_end();
      if (error) return self->expect_end();
      self->read_frames();
    });
  }

  /// Passes on the messages in `bytes`. False where the worker is over.
  bool take(std::span<const std::byte> bytes) {
    try {
      const auto on_message = events_.on_message;  // it may destroy the worker, and itself with it
      reader_.feed(bytes);
      while (auto message = reader_.next()) {
        on_message(std::move(*message));
        if (over_) return false;
      }
      return true;
    } catch (const RecorderError& broken) {
      finish(
          {.cause = FailureCause::worker,
           .code = to_string(Errc::worker_protocol),
           .message = fmt::format("The worker was stopped for a fault in the {}.", utf8::on_one_line(broken.what()))});
      return false;
    }
  }

  void read_errors() {
    ++reads_;
    errors_.async_read_some(asio::buffer(error_input_),
                            [self = shared_from_this()](error_code error, std::size_t count) {
                              --self->reads_;
                              if (self->over_) return;
                              if (!error) self->tail_.add({self->error_input_.data(), count});
                              if (self->end_) return self->report_end();
                              if (!error) self->read_errors();
                            });
  }

  void write() {
    asio::async_write(frames_, asio::buffer(outgoing_.front()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error || self->over_) return;  // the reader reports the end
                        self->outgoing_.pop_front();
                        if (!self->outgoing_.empty()) self->write();
                      });
  }

  /// The frame channel is closed; the process should follow.
  void expect_end() {
    silence_.expires_after(kSilentGrace);
    silence_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->guard_.let_go();
    });
  }

  void wait_for_end() {
    ended_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code) {
      self->silence_.cancel();
      self->end_ = self->guard_.reap();
      if (self->over_) return;
      error_code ignored;
      self->frames_.cancel(ignored);
      self->errors_.cancel(ignored);
      self->report_end();
    });
  }

  /// Once no read is under way: one that has its bytes already, and only waits for its turn, is not cancelled.
  void report_end() {
    if (reads_ > 0) return;
    drain();
    if (over_) return;
    std::string sentence = fmt::format("The worker {}.", end_->how);
    if (const std::string line = tail_.last_line(); !line.empty()) {
      sentence += fmt::format(" The last line that it printed: {}", line);
    }
    finish({.cause = end_->cause, .code = to_string(Errc::worker_died), .message = std::move(sentence), .died = true});
  }

  /// Everything is dead; what it had said before still counts. At most what the socket buffers hold.
  void drain() {
    error_code error;
    errors_.non_blocking(true, error);
    while (!error) {
      const std::size_t count = errors_.read_some(asio::buffer(error_input_), error);
      if (!error) tail_.add({error_input_.data(), count});
    }
    error = {};
    frames_.non_blocking(true, error);
    while (!error) {
      const std::size_t count = frames_.receive(asio::buffer(input_), 0, error);
      if (!error && !take({input_.data(), count})) return;
    }
  }

  void finish(WorkerFailure failure) {
    over_ = true;
    const auto on_end = std::move(events_.on_end);
    close();
    on_end(std::move(failure));
  }

  void close() {
    error_code ignored;
    frames_.close(ignored);
    errors_.close(ignored);
    silence_.cancel();
    guard_.let_go();
    outgoing_.resize(std::min<std::size_t>(outgoing_.size(), 1));  // the first may be in a write's hands
  }

  WorkerEvents events_;
  bool over_ = false;              // nothing more is reported
  int reads_ = 0;                  // that are under way
  std::optional<Guard::End> end_;  // once the process has ended
  Guard guard_;
  asio::local::stream_protocol::socket frames_;
  asio::posix::stream_descriptor errors_;
  asio::posix::stream_descriptor ended_;
  asio::steady_timer silence_;
  FrameReader reader_;
  Tail tail_;
  std::deque<std::string> outgoing_;
  std::array<std::byte, 65536> input_;
  std::array<char, 1024> error_input_;
};

class WorkerProcess final : public Worker {
 public:
  WorkerProcess(const asio::any_io_executor& executor, const WorkerCommand& command, WorkerEvents events)
      : link_(std::make_shared<Link>(executor, command, std::move(events))) {
    link_->begin();
  }
  ~WorkerProcess() override { link_->kill(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void send(const Message& message) override { link_->send(message); }
  void limit_frames(std::size_t bytes) override { link_->limit_frames(bytes); }

 private:
  const std::shared_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<Worker> start_worker_process(const asio::any_io_executor& executor, const WorkerCommand& command,
                                             WorkerEvents events) {
  return std::make_unique<WorkerProcess>(executor, command, std::move(events));
}

}  // namespace dictum::transcription
