#include "transcription/worker_main.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::transcription {
namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// The two ends of the frame channel, moved out of reach of an engine that prints or reads.
struct Channel {
  UniqueFD in;
  UniqueFD out;

  static Channel take_standard_streams() {
    Channel channel{UniqueFD(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)),
                    UniqueFD(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3))};
    if (!channel.in || !channel.out) throw_errno("no frame channel on descriptors 0 and 1");
    const UniqueFD nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing || ::dup2(nothing.get(), STDIN_FILENO) < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
      throw_errno("the standard streams cannot be redirected");
    }
    return channel;
  }
};

/// Sends whole frames. Safe from any thread. A recorder that is gone makes it silent: the reader sees the end too.
class FrameWriter {
 public:
  explicit FrameWriter(int fd) : fd_(fd) {}

  void send(const Message& message) { send_frame(encode(message)); }

  void send_frame(const std::string& frame) {
    const std::lock_guard lock(mutex_);
    for (std::size_t at = 0; at < frame.size() && !gone_;) {
      const ssize_t written = write_some(frame.data() + at, frame.size() - at);
      if (written >= 0) {
        at += static_cast<std::size_t>(written);
      } else if (errno != EINTR) {
        gone_ = true;
      }
    }
  }

 private:
  ssize_t write_some(const char* data, std::size_t size) {
    const ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? ::write(fd_, data, size) : sent;
  }

  const int fd_;
  std::mutex mutex_;
  bool gone_ = false;
};

/// The job that runs or waits to run, between the reader's thread and the engine's.
class TaskQueue {
 public:
  struct Task {
    Job job;
    std::stop_source stop;
  };

  /// A job has come. False where there is one already: the recorder sends one at a time.
  bool put(Job job) {
    const std::lock_guard lock(mutex_);
    if (task_) return false;
    task_.emplace(std::move(job), std::stop_source());
    changed_.notify_one();
    return true;
  }

  void cancel(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (task_ && task_->job.id == id) task_->stop.request_stop();
  }

  /// No more jobs; the one that runs is no longer wanted.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (task_) task_->stop.request_stop();
    changed_.notify_one();
  }

  /// Waits for a job; empty when there will be none.
  std::optional<Task> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return task_ || closed_; });
    return closed_ ? std::nullopt : task_;
  }

  void done() {
    const std::lock_guard lock(mutex_);
    task_.reset();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Task> task_;
  bool closed_ = false;
};

/// What the recorder says, taken to where it belongs. False: the worker should end.
class Inbox {
 public:
  Inbox(TaskQueue& tasks, FrameWriter& writer) : tasks_(tasks), writer_(writer) {}

  bool operator()(const Job& job) {
    if (!tasks_.put(job)) throw RecorderError(Errc::worker_protocol, "worker protocol: a job while another one runs");
    return true;
  }
  bool operator()(const Cancel& cancel) {
    tasks_.cancel(cancel.id);
    return true;
  }
  bool operator()(const Ping& ping) {
    writer_.send(Pong{ping.nonce});
    return true;
  }
  bool operator()(const Shutdown&) { return false; }
  template <class Other>
  bool operator()(const Other& other) {
    throw RecorderError(Errc::worker_protocol,
                        fmt::format("worker protocol: a recorder does not say \"{}\"", type_name(Message(other))));
  }

 private:
  TaskQueue& tasks_;
  FrameWriter& writer_;
};

void read_until_the_end(int fd, Inbox& inbox) {
  FrameReader reader;
  std::array<std::byte, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    reader.feed(std::span(buffer).first(static_cast<std::size_t>(count)));
    while (const auto message = reader.next()) {
      if (!std::visit(inbox, *message)) return;
    }
  }
}

Error error_from(const std::exception& problem) {
  if (const auto* const other = dynamic_cast<const EngineError*>(&problem)) {
    return {.code = other->word(), .message = other->what()};
  }
  if (const auto* const ours = dynamic_cast<const RecorderError*>(&problem)) {
    return {.code = to_string(static_cast<Errc>(ours->code().value())), .message = ours->what()};
  }
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr) return {.message = "the worker ran out of memory"};
  return {.message = problem.what()};
}

class Sink final : public JobSink {
 public:
  Sink(FrameWriter& writer, std::uint64_t id) : writer_(writer), id_(id) {}
  void partial(const std::string& text) override { writer_.send(Partial{id_, text}); }
  void progress(double fraction) override { writer_.send(Progress{id_, fraction}); }

 private:
  FrameWriter& writer_;
  const std::uint64_t id_;
};

/// The frame that answers the job.
std::string answer(WorkerEngine& engine, const TaskQueue::Task& task, FrameWriter& writer) {
  try {
    Sink sink(writer, task.job.id);
    Result result = engine.transcribe(task.job, task.stop.get_token(), sink);
    result.id = task.job.id;
    const Hello hello = engine.describe();
    if (result.engine.empty()) result.engine = hello.engine;
    if (result.model.empty()) result.model = hello.model;
    return encode(result);
  } catch (const std::exception& problem) {
    Error error = error_from(problem);
    if (dynamic_cast<const EngineLost*>(&problem) != nullptr) {
      error.fatal = true;
    } else {
      error.id = task.job.id;
    }
    return encode(error);
  }
}

}  // namespace

int run_worker(const MakeEngine& make_engine) {
  const Channel channel = Channel::take_standard_streams();
  FrameWriter writer(channel.out.get());
  std::unique_ptr<WorkerEngine> engine;
  try {
    engine = make_engine();
    writer.send(engine->describe());
  } catch (const std::exception& problem) {
    Error error = error_from(problem);
    error.fatal = true;
    writer.send(error);
    return 1;
  }

  TaskQueue tasks;
  std::thread reader([&] {
    try {
      Inbox inbox(tasks, writer);
      read_until_the_end(channel.in.get(), inbox);
    } catch (const std::exception& problem) {
      Error error = error_from(problem);
      error.fatal = true;
      writer.send(error);
    }
    tasks.close();
  });
  while (const auto task = tasks.wait()) {
    const std::string frame = answer(*engine, *task, writer);
    tasks.done();  // before the answer: the next job may follow it at once
    writer.send_frame(frame);
  }
  reader.join();
  return 0;
}

}  // namespace dictum::transcription
