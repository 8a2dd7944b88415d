#include "output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace dictum::program {
namespace {

constexpr int kNoLimit = -1;
constexpr std::size_t kPiece = 4096;  // that poll(2) promises of a pipe: PIPE_BUF
constexpr std::size_t kMaxBuffer = 65536;
constexpr std::chrono::milliseconds kErrorPatience{1000};

/// Waits until something can be written, `limit` milliseconds at most. False where that time has passed.
bool wait_to_write(int descriptor, int limit) noexcept {
  pollfd fd{descriptor, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&fd, 1, limit);
  } while (ready < 0 && errno == EINTR);
  return ready != 0;  // an error is found by the write
}

/// Writes everything, or returns the errno of what failed; ETIMEDOUT where nobody reads.
int write_all(int descriptor, std::string_view text, int limit) noexcept {
  while (!text.empty()) {
    if (!wait_to_write(descriptor, limit)) return ETIMEDOUT;
    const ssize_t written = ::write(descriptor, text.data(), std::min(text.size(), kPiece));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
    if (written == 0) return EIO;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Standard output, which is one for the whole process. Not stdio's: the end of a process waits for a thread that is
/// inside of that, and a reader that does not read holds such a thread for ever.
class Output {
 public:
  void write(std::string_view text) noexcept {
    const std::unique_lock lock = locked();
    if (!lock || loss_ != 0) return;
    try {
      buffer_ += text;
      if (buffer_.size() >= kMaxBuffer || (is_terminal_ && buffer_.ends_with('\n'))) write_buffer();
    } catch (const std::bad_alloc&) {
      loss_ = ENOMEM;
    }
  }

  int flush() noexcept {
    const std::unique_lock lock = locked();
    if (lock) write_buffer();
    return loss_;
  }

  void set_limit(int milliseconds) noexcept { limit_ = milliseconds; }

 private:
  /// Not locked where another thread has waited for the reader for too long.
  std::unique_lock<std::timed_mutex> locked() noexcept {
    std::unique_lock lock(mutex_, std::defer_lock);
    if (limit_ == kNoLimit) {
      lock.lock();
    } else if (!lock.try_lock_for(std::chrono::milliseconds(limit_))) {
      int none = 0;
      loss_.compare_exchange_strong(none, ETIMEDOUT);
    }
    return lock;
  }

  void write_buffer() noexcept {
    if (const int error = loss_ != 0 ? 0 : write_all(STDOUT_FILENO, buffer_, limit_); error != 0) loss_ = error;
    buffer_.clear();
  }

  const bool is_terminal_ = ::isatty(STDOUT_FILENO) != 0;
  std::timed_mutex mutex_;
  std::string buffer_;
  std::atomic<int> loss_{0};  // errno
  std::atomic<int> limit_{kNoLimit};
};

/// Never destroyed: a thread that waits for the reader outlives `main`.
Output& output() noexcept {
  alignas(Output) static std::byte memory[sizeof(Output)];
  static Output* const only = new (memory) Output;
  return *only;
}

std::atomic<bool> loss_is_reported{false};

}  // namespace

void guard_standard_descriptors() noexcept {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free is this one. Opened the wrong way round: every use of it fails with EBADF.
    [[maybe_unused]] const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void write_output(std::string_view text) noexcept {
  output().write(text);
}

void write_error(std::string_view text) noexcept {
  // Not by stdio, which remembers what it could not write and tries again at the exit. There is nowhere left to report
  // a failure.
  write_all(STDERR_FILENO, text, static_cast<int>(kErrorPatience.count()));
}

void print_json(std::string_view json) {
  std::string line;
  if (::isatty(STDOUT_FILENO) != 0) {
    for (std::size_t at = 0; at < json.size();) {
      const auto point = utf8::decode(json, at);
      if (point.value >= 0x20 && utf8::is_unsafe_to_show(point.value)) {
        line += fmt::format("\\u{:04x}", point.value);
      } else {
        line += json.substr(at, point.next - at);
      }
      at = point.next;
    }
  } else {
    line = json;
  }
  write_output(line += '\n');
}

void print_json(const boost::json::value& json) {
  print_json(std::string_view(json::to_line(json)));
}

void print_document(std::string_view text) {
  if (::isatty(STDOUT_FILENO) == 0) return write_output(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    print("{}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string progress_bar(double share) {
  constexpr int kCells = 20;
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kCells));
  std::string bar;
  for (int i = 0; i < kCells; ++i) bar += i < full ? "█" : "░";
  return bar;
}

std::size_t terminal_width() {
  winsize size{};
  constexpr std::size_t kUsual = 80;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string_view first_characters(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  for (; most > 0 && end < text.size(); --most) {
    do ++end;
    while (end < text.size() && utf8::continues(text[end]));
  }
  return text.substr(0, end);
}

int flush_output() noexcept {
  return output().flush();
}

void limit_output(std::optional<std::chrono::milliseconds> patience) noexcept {
  output().set_limit(patience ? static_cast<int>(patience->count()) : kNoLimit);
}

std::string why_output_was_lost(int error) {
  return error == ETIMEDOUT ? "nobody reads it" : std::generic_category().message(error);
}

void set_loss_reported() noexcept {
  loss_is_reported = true;
}

ExitCode finish_output(ExitCode code) {
  int error = flush_output();
  errno = 0;
  if (error == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) error = errno != 0 ? errno : EIO;  // help
  if (error == 0) return code;
  if (loss_is_reported) return code;
  print_error("standard output cannot be written ({}): what was asked for was not printed, or not all of it",
              why_output_was_lost(error));
  return code == ExitCode::success ? ExitCode::failure : code;
}

}  // namespace dictum::program
