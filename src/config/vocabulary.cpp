#include "config/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>

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
    std::error_code error;
    std::ifstream file(path);
    if (!std::filesystem::is_regular_file(path, error) || !file) {
      throw RecorderError(Errc::input_not_found,
                          fmt::format("The vocabulary file {} cannot be read. Check [transcription] vocabulary_file.",
                                      utf8::on_one_line(path.string())));
    }
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
