#include "server/hook_runner.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>

#include "base/child_program.hpp"
#include "base/output_tail.hpp"
#include "base/pipe.hpp"
#include "base/sigpipe.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"

namespace dictum::server {
namespace {

std::string times(std::size_t count) {
  return fmt::format("{} time{}", count, count == 1 ? "" : "s");
}

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

/// `end`: as `ChildProgram::wait` gives it.
std::string why_it_failed(int end, const std::string& last_line) {
  if (end == 0) return {};
  const std::string what =
      end > 0 ? fmt::format("ended with exit code {}", end) : fmt::format("was ended by signal {}", -end);
  return last_line.empty() ? what + "." : fmt::format("{}: {}", what, last_line);
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
    deadline_ = std::min(deadline_, Clock::now() + patience);
    changed_.notify_all();
    while ((!waiting_.empty() || is_running_) && Clock::now() < deadline_) {
      changed_.wait_until(lock, Clock::time_point(deadline_));  // which another call may bring forward
    }
    if (!waiting_.empty()) abandoned_in_ = waiting_.back().session;
    abandoned_ += waiting_.size();
    waiting_.clear();
  }
  changed_.notify_all();
  killed_.notify();
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

void HookRunner::run() {
  block_sigpipe();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || is_ending_; });
    if (waiting_.empty()) break;
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    const std::size_t dropped = std::exchange(dropped_, 0);
    is_running_ = true;
    lock.unlock();
    if (dropped > 0) {
      report_(job.session, fmt::format("The programs of [hooks] take longer than people speak, and were left out {}.",
                                       times(dropped)));
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
  const std::size_t abandoned = abandoned_ + dropped_;
  const std::string session = abandoned_in_;
  lock.unlock();
  if (abandoned > 0) {
    report_(session,
            fmt::format("The programs of [hooks] were left out {} at the end: what was said is in the session.",
                        times(abandoned)));
  }
}

std::string HookRunner::run(const Job& job) const {
  Pipe in;
  Pipe err;
  if (!in || !err) return fmt::format("could not be started: {}.", reason_of(errno));
  set_nonblocking(in.writing);
  set_nonblocking(err.reading);
  ChildProgram program(*job.command, in.reading.get(), -1, err.writing.get());
  if (program.error() != 0) {
    return fmt::format("could not be started: {}. Correct [hooks] in the configuration file.",
                       reason_of(program.error()));
  }
  in.reading.reset();
  err.writing.reset();
  const auto deadline = Clock::now() + time_limit_;
  std::string_view unsent = job.json;
  OutputTail tail;
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
    if (fds[2].revents != 0 && !tail.drain(err.reading.get())) err.reading.reset();
    if (fds[0].revents != 0) return why_it_failed(program.wait(), tail.last_line());
    if (fds[1].revents != 0) return "was killed at the end of the recording.";
    if (fds[3].revents == 0) continue;
    const ssize_t sent = ::write(in.writing.get(), unsent.data(), unsent.size());
    if (sent > 0) unsent.remove_prefix(static_cast<std::size_t>(sent));
    const bool has_failed = sent < 0 && errno != EAGAIN && errno != EINTR;  // it does not read, which it need not
    if (unsent.empty() || has_failed) in.writing.reset();
  }
}

}  // namespace dictum::server
