#include "server/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/event_fd.hpp"
#include "base/json.hpp"
#include "base/sigpipe.hpp"
#include "base/utf8.hpp"
#include "dictum/text.hpp"

namespace dictum::server {
namespace {

constexpr auto kEndTimeout = std::chrono::seconds(1);
constexpr std::uint32_t kFirstPair = 0x10000;  // of what UTF-16, and so JSON, writes as two units

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      break;
  }
  return "error";
}

/// JSON on one line, in which what would mislead a terminal is escaped: such characters stand in strings only.
std::string safe_json(const boost::json::value& value) {
  const std::string line = json::to_line(value);
  std::string safe;
  for (std::size_t at = 0; at < line.size();) {
    const utf8::CodePoint point = utf8::decode(line, at);
    if (!utf8::is_unsafe_to_show(point.value)) {
      safe.append(line, at, point.next - at);
    } else if (point.value < kFirstPair) {
      safe += fmt::format("\\u{:04x}", point.value);
    } else {
      const std::uint32_t rest = point.value - kFirstPair;
      safe += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
    }
    at = point.next;
  }
  return safe;
}

/// A value as text: without quotation marks where it cannot be taken for something else.
std::string text_of(const boost::json::value& value) {
  std::string json = safe_json(value);
  if (!value.is_string() || json.size() <= 2) return json;
  const std::string_view content = std::string_view(json).substr(1, json.size() - 2);
  return content.find_first_of(" =\"\\") == std::string_view::npos ? std::string(content) : json;
}

}  // namespace

std::string log_line(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                     std::string_view event, const boost::json::object& fields) {
  std::string line;
  if (format == LogFormat::json) {
    boost::json::object all{{"time", iso_time(time)}, {"level", name_of(level)}, {"event", event}};
    for (const auto& [name, value] : fields) all[name] = value;
    line = safe_json(all);
  } else {
    line = fmt::format("{} {} {}", iso_time(time), name_of(level), event);
    for (const auto& [name, value] : fields) {
      line += fmt::format(" {}={}", std::string_view(name), text_of(value));
    }
  }
  if (line.size() >= Log::kMaxLine) return log_line(format, time, level, event, {{"too_long", true}});
  return line + '\n';
}

/// What the log and its thread share.
struct Log::State {
  State(LogFormat of, int to) : format(of), fd(to) {}

  const LogFormat format;
  const int fd;
  const EventFD ending;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> waiting;  // by mutex, as all below
  std::uint64_t dropped = 0;
  std::uint64_t reported = 0;  // of them
  bool is_ending = false;
  bool has_ended = false;

  void run();
  bool write(std::string_view line) const;
  bool wait_until_writable() const;
};

void Log::State::run() {
  block_sigpipe();
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return !waiting.empty() || is_ending; });
    if (waiting.empty()) break;
    std::string line = std::move(waiting.front());
    waiting.pop_front();
    const std::uint64_t lost = dropped - reported;
    if (lost > 0) {
      line = log_line(format, std::chrono::system_clock::now(), LogLevel::warning, "log_lines_dropped",
                      {{"lines", lost}}) +
             line;
    }
    lock.unlock();
    const bool is_written = write(line);
    lock.lock();
    if (is_written) {
      reported += lost;
    } else {
      ++dropped;
    }
  }
  has_ended = true;
  changed.notify_all();
}

/// False where it could not be written, all of it.
bool Log::State::write(std::string_view line) const {
  while (!line.empty()) {
    if (!wait_until_writable()) return false;
    const ssize_t written = ::write(fd, line.data(), std::min(line.size(), kMaxLine));
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// False where it never will be, or the end comes first.
bool Log::State::wait_until_writable() const {
  std::array<pollfd, 2> fds{{{fd, POLLOUT, 0}, {ending.get(), POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0 || (fds[0].revents & (POLLERR | POLLNVAL | POLLHUP)) != 0) return false;
    if ((fds[0].revents & POLLOUT) != 0) return true;
    if (fds[1].revents != 0) return false;
  }
}

Log::Log(LogFormat format, int fd)
    : format_(format), state_(format == LogFormat::none ? nullptr : std::make_shared<State>(format, fd)) {
  if (state_) thread_ = std::thread([state = state_] { state->run(); });
}

Log::~Log() {
  if (!state_) return;
  {
    std::unique_lock lock(state_->mutex);
    state_->is_ending = true;
    state_->changed.notify_all();
    state_->changed.wait_for(lock, kEndTimeout, [this] { return state_->has_ended; });
    state_->waiting.clear();
  }
  state_->ending.notify();
  {
    std::unique_lock lock(state_->mutex);
    // A write to a terminal or a file can be held up where no wait for it is.
    if (!state_->changed.wait_for(lock, kEndTimeout, [this] { return state_->has_ended; })) {
      thread_.detach();
      return;
    }
  }
  thread_.join();
}

void Log::add(LogLevel level, std::string_view event, boost::json::object fields) {
  if (!state_) return;
  std::string line = log_line(format_, std::chrono::system_clock::now(), level, event, fields);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kMaxWaiting || state_->is_ending) {
      ++state_->dropped;
      return;
    }
    state_->waiting.push_back(std::move(line));
  }
  state_->changed.notify_all();
}

void Log::add(const Event& event) {
  if (!state_) return;
  boost::json::object fields{{"session", event.session}};
  if (const auto* const changed = std::get_if<RecordingStateChanged>(&event.body)) {
    fields["state"] = to_string(changed->state);
    add(changed->state == RecordingState::failed ? LogLevel::error : LogLevel::info, "recording", std::move(fields));
  } else if (const auto* const fault = std::get_if<RecorderFault>(&event.body)) {
    fields["code"] = fault->code;
    fields["recoverable"] = fault->recoverable;
    add(fault->recoverable ? LogLevel::warning : LogLevel::error, "fault", std::move(fields));
  } else if (const auto* const gap = std::get_if<AudioGap>(&event.body); gap && gap->reason != GapReason::paused) {
    fields["reason"] = to_string(gap->reason);
    fields["start_frame"] = gap->start_frame;
    fields["frames"] = gap->frames;
    add(LogLevel::warning, "gap", std::move(fields));
  }
}

std::uint64_t Log::dropped() const {
  if (!state_) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

}  // namespace dictum::server
