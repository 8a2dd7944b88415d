#include "server/token_list.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/disk_error.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "digest/sha256.hpp"

namespace dictum::server {
namespace {

constexpr std::string_view kHashName = "sha256:";
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
constexpr std::size_t kTokenBytes = 32;

std::string hash_of(std::string_view token) {
  digest::SHA256 sum;
  sum.add(token);
  return sum.hex();
}

/// In a time that depends on the sizes alone.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

std::optional<Scopes> parse_scopes(std::string_view names) {
  Scopes scopes;
  for (;;) {
    const std::size_t end = std::min(names.find(','), names.size());
    const auto scope = scope_named(names.substr(0, end));
    if (!scope) return std::nullopt;
    scopes = scopes.with(*scope);
    if (end == names.size()) return scopes;
    names.remove_prefix(end + 1);
  }
}

std::string read_file(const std::filesystem::path& file) {
  const auto refuse = [&](Errc code, std::string_view why) {
    throw RecorderError(code, fmt::format("The file of tokens '{}' {}.", file.string(), why));
  };
  const UniqueFD fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) refuse(Errc::input_not_found, "cannot be read: " + std::generic_category().message(errno));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse(Errc::config_invalid, "is no regular file");
  const bool is_mine = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!is_mine || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    refuse(Errc::config_invalid,
           "can be changed by others, who could add tokens to it: make it yours alone with `chmod 600`");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0) refuse(Errc::input_not_found, "cannot be read: " + std::generic_category().message(errno));
  }
  if (size > kMaxFileBytes) refuse(Errc::config_invalid, "is larger than 1 MiB");
  text.resize(size);
  return text;
}

}  // namespace

void TokenList::add_file(const std::filesystem::path& file) {
  try {
    add(read_file(file));
  } catch (const RecorderError& error) {
    if (error.code() != Errc::config_invalid || std::string_view(error.what()).starts_with("The file")) throw;
    throw RecorderError(error.code(), fmt::format("The file of tokens '{}': {}", file.string(), error.what()));
  }
}

void TokenList::add(std::string_view text) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view hash = line.substr(0, space);
    const auto scopes = parse_scopes(line.substr(std::min(space + 1, line.size())));
    const bool is_hash = hash.starts_with(kHashName) && hash.size() == kHashName.size() + kHashDigits &&
                         hash.find_first_not_of("0123456789abcdef", kHashName.size()) == std::string_view::npos;
    if (!is_hash || !scopes) {
      throw RecorderError(
          Errc::config_invalid,
          fmt::format("Line {} is no \"sha256:HEX SCOPE,SCOPE\" of listen, control, library and transcribe: make "
                      "tokens with `dictum serve --new-token FILE`.",
                      number));
    }
    entries_.push_back({std::string(hash.substr(kHashName.size())), *scopes});
  }
}

std::optional<Scopes> TokenList::scopes_of(std::string_view token) const {
  const std::string hash = hash_of(token);
  std::optional<Scopes> found;
  for (const Entry& entry : entries_) {
    if (equal_in_constant_time(entry.hash, hash)) found = entry.scopes;
  }
  return found;
}

std::string random_token() {
  std::array<unsigned char, kTokenBytes> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw RecorderError(Errc::internal, "The system gives no random numbers.");
  }
  std::string token = "dictum_";
  for (const unsigned char byte : random) token += fmt::format("{:02x}", byte);
  return token;
}

std::string make_token(const std::filesystem::path& file, const Scopes& scopes) {
  std::string token = random_token();
  std::string names;
  for (const Scope scope : kScopes) {
    if (scopes.has(scope)) names += (names.empty() ? "" : ",") + std::string(to_string(scope));
  }
  const std::string line = fmt::format("{}{} {}\n", kHashName, hash_of(token), names);
  const UniqueFD fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600));
  if (!fd || ::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      ::fsync(fd.get()) != 0) {
    throw_disk_error(errno, file);
  }
  return token;
}

}  // namespace dictum::server
