#include "config/vocabulary.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::config {
namespace {

constexpr std::size_t kMaxTerms = 1000;
constexpr std::size_t kMaxTermBytes = 100;
constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

/// Nothing where it is no file, or one that nobody has written. Waits for nothing: a pipe, say, may have its name.
std::optional<std::string> content_of(const std::filesystem::path& path) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  const UniqueFD file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string content(kMaxBytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxBytes) return std::nullopt;
  content.resize(size);
  return content;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

std::string complaint_about_vocabulary(const std::vector<std::string>& terms) {
  if (terms.size() > kMaxTerms) return fmt::format("has {} terms; it may have {}", terms.size(), kMaxTerms);
  for (const std::string& term : terms) {
    const std::string shown = utf8::on_one_line(term.substr(0, kMaxTermBytes));
    if (trimmed(term).empty()) return "has an empty term; leave it out";
    if (term.size() > kMaxTermBytes) return fmt::format("has a term of more than {} bytes: {}", kMaxTermBytes, shown);
    if (!utf8::is_valid(term)) return fmt::format("has the term {}, which is not UTF-8", shown);
    if (has_control_character(term)) return fmt::format("has the term {}, with a control character in it", shown);
  }
  return {};
}

std::vector<std::string> vocabulary_of(const RecorderConfig::Transcription& config) {
  std::vector<std::string> terms = config.vocabulary;
  const auto& path = config.vocabulary_file;
  if (!path.empty()) {
    const std::optional<std::string> content = content_of(path);
    if (!content) {
      throw RecorderError(
          Errc::input_not_found,
          fmt::format("The vocabulary file {} cannot be read, or has more than 1 MiB. Check [transcription] "
                      "vocabulary_file.",
                      utf8::on_one_line(path.string())));
    }
    std::istringstream file(*content);
    std::string line;
    for (std::size_t lines = 0; lines <= 10 * kMaxTerms && terms.size() <= kMaxTerms; ++lines) {
      line.clear();
      for (char c = 0; file.get(c) && c != '\n';) {
        if (line.size() <= 4 * kMaxTermBytes) line += c;
      }
      const auto term = trimmed(std::string_view(line).substr(0, line.find('#')));
      if (!term.empty()) terms.emplace_back(term);
      if (!file) break;
    }
    if (const auto complaint = complaint_about_vocabulary(terms); !complaint.empty()) {
      throw RecorderError(Errc::config_invalid, fmt::format("The vocabulary with the file {} {}.",
                                                            utf8::on_one_line(path.string()), complaint));
    }
  }
  std::vector<std::string> once;
  for (std::string& term : terms) {
    if (std::ranges::find(once, term) == once.end()) once.push_back(std::move(term));
  }
  return once;
}

}  // namespace dictum::config
