#include "annotations.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "plain_text.hpp"

namespace dictum::workers {
namespace {

// A remark in brackets is an annotation where one of its words is one of these, with an ending of a verb or not.
constexpr std::array<std::string_view, 54> kSounds{
    "music",  "musical", "applause",  "laugh",          "laughter",   "chuckle",   "giggle",   "cough",   "sigh",
    "sneeze", "sniff",   "breath",    "breathe",        "inhale",     "exhale",    "gasp",     "groan",   "grunt",
    "moan",   "cry",     "sob",       "scream",         "yell",       "shout",     "whistle",  "hum",     "cheer",
    "clap",   "silence", "silent",    "noise",          "static",     "beep",      "buzz",     "click",   "typing",
    "rustle", "knock",   "footstep",  "door",           "engine",     "wind",      "rain",     "thunder", "bird",
    "dog",    "bark",    "inaudible", "unintelligible", "indistinct", "crosstalk", "speaking", "foreign", "blank"};

// Lower case, without punctuation: what Whisper writes where there is nothing to write.
constexpr std::array<std::string_view, 16> kSilenceTexts{"thank you",
                                                         "thanks",
                                                         "thank you very much",
                                                         "thank you for watching",
                                                         "thanks for watching",
                                                         "thank you so much for watching",
                                                         "thanks for listening",
                                                         "thank you for listening",
                                                         "please subscribe",
                                                         "please subscribe to my channel",
                                                         "like and subscribe",
                                                         "see you next time",
                                                         "see you in the next video",
                                                         "you",
                                                         "bye",
                                                         "bye bye"};

constexpr std::array<std::string_view, 6> kNotes{"\xE2\x99\xAA", "\xE2\x99\xAB",     "\xE2\x99\xA9",
                                                 "\xE2\x99\xAC", "\xF0\x9F\x8E\xB5", "\xF0\x9F\x8E\xB6"};

constexpr std::size_t kMaxRemarkBytes = 80;

/// The words with single spaces between them.
std::string bare(std::string_view text) {
  return fmt::format("{}", fmt::join(bare_words(text, text.size()), " "));
}

/// True for "hum", "hums", "hummed", "humming".
bool is_form_of(std::string_view word, std::string_view verb) {
  if (!word.starts_with(verb.substr(0, verb.size() - 1))) return false;
  const std::string_view stem = verb.ends_with('e') ? verb.substr(0, verb.size() - 1) : verb;
  for (const std::string_view ending : {"", "e", "s", "es", "ed", "ing"}) {
    if (word == std::string(stem) + std::string(ending)) return true;
    if (word == std::string(stem) + stem.back() + std::string(ending) && !ending.empty()) return true;
  }
  return false;
}

bool names_a_sound(std::string_view remark) {
  const std::string words = bare(remark);
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    const std::string_view word = std::string_view(words).substr(begin, end - begin);
    if (std::ranges::any_of(kSounds, [&](std::string_view sound) { return is_form_of(word, sound); })) return true;
    begin = end + 1;
  }
  return false;
}

/// A range of bytes of the text.
struct Span {
  std::size_t begin;
  std::size_t end;
};

/// The remark that begins at `at`, if one does.
std::optional<Span> remark_at(std::string_view text, std::size_t at) {
  for (const std::string_view note : kNotes) {
    if (text.substr(at).starts_with(note)) return Span{at, at + note.size()};
  }
  constexpr std::array<std::pair<char, char>, 3> kBrackets{{{'[', ']'}, {'(', ')'}, {'*', '*'}}};
  for (const auto& [open, close] : kBrackets) {
    if (text[at] != open) continue;
    const std::size_t end = text.find(close, at + 1);
    if (end == std::string_view::npos || end - at > kMaxRemarkBytes || end == at + 1) return std::nullopt;
    const std::string_view inside = text.substr(at + 1, end - at - 1);
    if (open == '[' || names_a_sound(inside)) return Span{at, end + 1};
  }
  return std::nullopt;
}

std::vector<Span> remarks_of(std::string_view text) {
  std::vector<Span> spans;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto span = remark_at(text, at)) {
      spans.push_back(*span);
      at = span->end;
    } else {
      ++at;
    }
  }
  return spans;
}

/// `text` without the spans: one space where there were several, none before punctuation or at the ends.
std::string without(std::string_view text, const std::vector<Span>& spans) {
  std::string out;
  std::size_t at = 0;
  const auto take = [&](std::size_t end) {
    for (; at < end; ++at) {
      if (text[at] == ' ' && (out.empty() || out.back() == ' ')) continue;
      out += text[at];
    }
  };
  for (const Span& span : spans) {
    take(span.begin);
    at = span.end;
  }
  take(text.size());
  while (out.ends_with(' ')) out.pop_back();
  // What is left of "(music)." is no text.
  return std::ranges::all_of(out, [](unsigned char c) { return c < 0x80 && !std::isalnum(c); }) ? std::string() : out;
}

/// The words that lie outside of the spans. Each is looked for behind the one before.
std::vector<TimedWord> words_outside(std::string_view text, const std::vector<Span>& spans,
                                     std::vector<TimedWord> words) {
  std::vector<TimedWord> kept;
  std::size_t from = 0;
  for (TimedWord& word : words) {
    const std::size_t at = text.find(word.text, from);
    if (at != std::string_view::npos) {
      from = at + word.text.size();
      if (std::ranges::any_of(spans, [&](const Span& span) { return at < span.end && span.begin < from; })) continue;
    }
    kept.push_back(std::move(word));
  }
  return kept;
}

}  // namespace

PartedText part_annotations(std::string_view text, std::vector<TimedWord> words, bool silent) {
  if (silent && std::ranges::find(kSilenceTexts, bare(text)) != kSilenceTexts.end()) {
    return {.text = {}, .annotations = {std::string(text)}, .words = {}};
  }
  const std::vector<Span> spans = remarks_of(text);
  if (spans.empty()) return {.text = std::string(text), .annotations = {}, .words = std::move(words)};
  PartedText parted{
      .text = without(text, spans), .annotations = {}, .words = words_outside(text, spans, std::move(words))};
  for (const Span& span : spans) parted.annotations.emplace_back(text.substr(span.begin, span.end - span.begin));
  if (parted.text.empty()) parted.words.clear();
  return parted;
}

void straighten(std::vector<TimedWord>& words, double seconds) {
  double earliest = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    TimedWord& word = words[i];
    word.start = std::clamp(word.start, earliest, std::max(seconds, earliest));
    word.end = std::clamp(word.end, word.start, std::max(seconds, word.start));
    if (i + 1 < words.size() && words[i + 1].start > word.start) word.end = std::min(word.end, words[i + 1].start);
    earliest = word.end;
  }
}

}  // namespace dictum::workers
