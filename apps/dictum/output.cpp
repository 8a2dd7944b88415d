#include "output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/json.hpp"

namespace dictum::program {
namespace {

std::atomic<int> lost_output{0};  // errno; standard output is one for the whole process

std::atomic<bool> loss_is_reported{false};

void remember_loss() noexcept {
  int none = 0;
  lost_output.compare_exchange_strong(none, errno != 0 ? errno : EIO);
}

bool is_unsafe(std::uint32_t c) {
  return (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

/// The code point that begins at `text[at]`, which is UTF-8, where it is one of up to three bytes; and its size.
std::pair<std::uint32_t, std::size_t> short_code_point(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[at + i])}; };
  if ((byte(0) & 0xE0) == 0xC0 && at + 1 < text.size()) return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if ((byte(0) & 0xF0) == 0xE0 && at + 2 < text.size()) {
    return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  }
  return {byte(0) < 0x80 ? byte(0) : 0, 1};
}

}  // namespace

void guard_standard_descriptors() noexcept {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free is this one. Opened the wrong way round: every use of it fails with EBADF.
    [[maybe_unused]] const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void write_output(std::string_view text) noexcept {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) remember_loss();
}

void write_error(std::string_view text) noexcept {
  // Not by stdio, which remembers what it could not write and tries again at the exit.
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // there is nowhere left to report it
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void print_json(std::string_view json) {
  std::string line;
  if (::isatty(STDOUT_FILENO) != 0) {
    for (std::size_t at = 0; at < json.size();) {
      const auto [value, size] = short_code_point(json, at);
      if (is_unsafe(value)) {
        line += fmt::format("\\u{:04x}", value);
      } else {
        line += json.substr(at, size);
      }
      at += size;
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

int flush_output() noexcept {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) remember_loss();
  return lost_output;
}

void set_loss_reported() noexcept {
  loss_is_reported = true;
}

ExitCode finish_output(ExitCode code) {
  const int error = flush_output();
  if (error == 0) return code;
  if (loss_is_reported) return code;
  print_error("standard output cannot be written ({}): what was asked for was not printed, or not all of it",
              std::generic_category().message(error));
  return code == ExitCode::success ? ExitCode::failure : code;
}

}  // namespace dictum::program
