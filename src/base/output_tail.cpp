#include "base/output_tail.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/utf8.hpp"

namespace dictum {
namespace {

constexpr std::size_t kMaxBytes = 4096;
constexpr std::size_t kMaxAtOnce = std::size_t{1} << 20;  // of a program that writes without end

}  // namespace

bool drain(int fd, std::string& text, std::size_t most) {
  std::array<char, 65536> buffer;
  while (text.size() <= most) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

bool OutputTail::drain(int fd) {
  const bool is_open = dictum::drain(fd, text_, kMaxAtOnce);
  if (text_.size() > kMaxBytes) text_.erase(0, text_.size() - kMaxBytes);
  return is_open;
}

std::string OutputTail::last_line() const {
  std::string_view text = text_;
  const auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return "";
  text = text.substr(0, end + 1);
  const auto line = text.find_last_of("\r\n");
  return utf8::on_one_line(line == std::string_view::npos ? text : text.substr(line + 1));
}

}  // namespace dictum
