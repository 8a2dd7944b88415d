#include "transcription/worker_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "text/words.hpp"

namespace dictum::transcription {
namespace {

// People speak about 25 characters a second at the most; a character has up to 4 bytes. Engines that repeat themselves
// stay far below these bounds too.
constexpr std::size_t kMinTextBytes = 4096;
constexpr double kMaxTextBytesPerSecond = 512;
constexpr std::size_t kMinWords = 64;
constexpr double kMaxWordsPerSecond = 32;
constexpr std::size_t kMinFrameBytes = std::size_t{256} << 10;
constexpr double kMaxFrameBytesPerSecond = 16384;

std::size_t scaled(std::size_t least, double per_second, double seconds) {
  return least + static_cast<std::size_t>(per_second * std::clamp(seconds, 0.0, 1e6));
}

/// "en" of "en-GB", "EN" and "en_US".
std::string primary_language(std::string_view tag) {
  std::string primary(tag.substr(0, tag.find_first_of("-_")));
  for (char& c : primary) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return primary;
}

}  // namespace

std::string for_people(std::string_view text) {
  constexpr std::size_t kMaxBytes = 500;
  if (text.size() <= kMaxBytes) return utf8::on_one_line(text);
  return utf8::on_one_line(text.substr(0, kMaxBytes)) + "...";
}

std::string code_of(const Error& error) {
  const bool plain = !error.code.empty() && error.code.size() <= 40 &&
                     error.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
  return plain ? error.code : to_string(Errc::transcription_failed);
}

bool is_of_settings(std::string_view code) {
  const std::array of_settings{Errc::model_missing, Errc::transcriber_missing, Errc::config_invalid,
                               Errc::invalid_argument};
  return std::ranges::any_of(of_settings, [&](Errc known) { return code == to_string(known); });
}

bool is_remote(const Hello& hello) {
  return std::ranges::find(hello.abilities, kRemote) != hello.abilities.end();
}

std::size_t max_frame_bytes(double seconds) {
  return std::min(kMaxFrameBytes, scaled(kMinFrameBytes, kMaxFrameBytesPerSecond, seconds));
}

std::size_t max_words(double seconds) {
  return scaled(kMinWords, kMaxWordsPerSecond, seconds);
}

std::optional<std::string> excess_of(const Result& result, double seconds) {
  std::size_t bytes = result.text.size();
  for (const Word& word : result.words) bytes = std::max(bytes, word.text.size());
  for (const DetectedPhrase& phrase : result.phrases) bytes = std::max(bytes, phrase.phrase.size());
  if (bytes > scaled(kMinTextBytes, kMaxTextBytesPerSecond, seconds)) {
    return fmt::format("{} bytes of text for {:.3g} s of audio", bytes, seconds);
  }
  const std::size_t words = std::max(result.words.size(), result.phrases.size());
  if (words > max_words(seconds)) {
    return fmt::format("{} words for {:.3g} s of audio", words, seconds);
  }
  return std::nullopt;
}

bool is_excessive(const Partial& partial, double seconds) {
  return partial.text.size() > scaled(kMinTextBytes, kMaxTextBytesPerSecond, seconds);
}

void compose(Result& result) {
  result.text = text::composed(result.text);
  for (Word& word : result.words) word.text = text::composed(word.text);
}

std::optional<std::string> language_problem(const Hello& hello, std::string_view language) {
  if (language.empty() || language == "auto" || hello.languages.empty()) return std::nullopt;
  const std::string wanted = primary_language(language);
  const auto same = std::ranges::find(hello.languages, wanted, [](const auto& tag) { return primary_language(tag); });
  const bool is_tag = language.find('_') == std::string_view::npos;
  if (same != hello.languages.end() && is_tag) return std::nullopt;
  // "english" begins with its code, as the names of many languages do.
  const auto prefix = std::ranges::find_if(
      hello.languages, [&](const auto& tag) { return tag.size() >= 2 && wanted.starts_with(primary_language(tag)); });
  const std::string instead = same != hello.languages.end()     ? *same
                              : prefix != hello.languages.end() ? *prefix
                                                                : nearest(wanted, hello.languages);
  constexpr std::size_t kMaxListed = 120;
  std::string all = fmt::format(
      "{}",
      fmt::join(hello.languages.begin(),
                hello.languages.begin() + static_cast<std::ptrdiff_t>(std::min(kMaxListed, hello.languages.size())),
                ", "));
  return for_people(
      fmt::format("The transcriber {}{} does not know the language \"{}\". Write \"{}\" instead{}.", hello.engine,
                  hello.model.empty() ? "" : fmt::format(" ({})", hello.model), language, instead,
                  hello.languages.size() == 1 ? ", the only one that it knows" : fmt::format("; it knows {}", all)));
}

}  // namespace dictum::transcription
