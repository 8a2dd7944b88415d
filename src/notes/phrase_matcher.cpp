#include "notes/phrase_matcher.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/utf8.hpp"
#include "notes/sound.hpp"

namespace dictum::notes {

namespace {

// Costs of an alignment: what is one whole recognition error is worth 10.
constexpr int kError = 10;
constexpr int kArticle = 1;       // an article dropped, added or replaced by another
constexpr int kLooseMisfit = 15;  // any word for any other, where the phrase is known to be there
constexpr int kWordForWord = 3;   // the tolerance at the end of other speech: articles, or "and note" for "end note"
constexpr int kPrefixBonus = 3;
constexpr int kNever = 1'000'000;

// Words further apart than this are different words. "no" for "note" is 0.33, "notebook" 0.42.
constexpr double kAlike = 0.38;

constexpr std::size_t kLongestWord = 32;    // bytes; a longer one is nobody's misheard word
constexpr std::size_t kTrailingWords = 16;  // how far from its end a segment is searched for commands
constexpr std::size_t kCommandsInARow = 4;
constexpr std::size_t kMerged = 3;  // words that a recogniser may have divided otherwise: "start a new", "starting you"

int budget(int content_words) {
  const int errors = content_words * kError / 3;
  return content_words < 3 ? errors : errors + 2 * kArticle;
}

int misheard_cost(std::u32string_view said, std::u32string_view meant) {
  const std::size_t longer = std::max(said.size(), meant.size());
  const std::size_t shorter = std::min(said.size(), meant.size());
  if (static_cast<double>(longer - shorter) > 2 * kAlike * static_cast<double>(longer)) return kNever;  // spares work
  const double distance = sound_distance(said, meant, kAlike);
  return distance > kAlike ? kNever : std::max(1, static_cast<int>(std::ceil(3 * kError * distance)));
}

bool is_ascii_word(std::uint32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9');
}

bool is_apostrophe(std::uint32_t c) {
  return c == U'\'' || c == U'`' || c == 0xB4 || c == 0x2BC || c == 0x2018 || c == 0x2019 || c == 0x201B ||
         c == 0x2032 || c == 0xFF07;
}

// Beyond ASCII everything is a letter but the blocks of spaces and punctuation.
bool is_word(std::uint32_t c) {
  if (c < 0x80) return is_ascii_word(c);
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x2190 && c <= 0x2BFF) &&
         !(c >= 0x2E00 && c <= 0x2E7F) && !(c >= 0x3000 && c <= 0x303F) && !(c >= 0xFF00 && c <= 0xFF0F) &&
         !(c >= 0xFF1A && c <= 0xFF20) && c != 0xFEFF && c != 0xFFFD && c != 0x60C && c != 0x61B && c != 0x61F &&
         c != 0x964;
}

bool is_space(std::uint32_t c) {
  return c <= 0x20 || c == 0x7F || (c >= 0x80 && c <= 0xA0) || (c >= 0x2000 && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool ends_sentence(std::uint32_t c) {
  return c == U'.' || c == U'!' || c == U'?' || c == 0x2026 || c == 0x3002 || c == 0x61F || c == 0x964 || c == 0xFF01 ||
         c == 0xFF0E || c == 0xFF1F;
}

// Of the scripts whose recognisers write capitals: Latin, Greek, Cyrillic.
std::uint32_t lower(std::uint32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE) return c + 32;
  if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1u;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1u);
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  return c;
}

// Where "[BLANK_AUDIO]", "<sil>" and the like end, if one begins at `at`; a recogniser's remark, nothing said.
std::size_t behind_remark(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongestRemark = 40;
  const char close = text[at] == '[' ? ']' : text[at] == '<' ? '>' : '\0';
  if (close == '\0') return at;
  const auto end = text.substr(at, kLongestRemark).find(close);
  return end == std::string_view::npos ? at : at + end + 1;
}

}  // namespace

PhraseMatcher::Tokens PhraseMatcher::words_of(std::string_view text) {
  Tokens tokens;
  bool within = false;
  bool pause = false;
  bool sentence = false;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto behind = behind_remark(text, at); behind != at) {
      at = behind;
      within = false;
      continue;
    }
    const auto point = utf8::decode(text, at);
    if (point.valid && is_word(point.value)) {
      if (!within) tokens.push_back({{}, at, at, std::exchange(pause, false), std::exchange(sentence, false), {}});
      within = true;
      utf8::append(tokens.back().word, lower(point.value));
      tokens.back().end = point.next;
    } else if (!(point.valid && is_apostrophe(point.value) && within)) {
      within = false;
      pause = pause || (point.valid && !is_space(point.value));
      sentence = sentence || ends_sentence(point.value);
    }
    at = point.next;
  }
  return tokens;
}

PhraseMatcher::PhraseMatcher(NotePhrases phrases) : spoken_(std::move(phrases)) {
  const auto fill = [](std::unordered_set<std::string>& set, const std::vector<std::string>& words) {
    for (const auto& word : words) {
      for (auto& token : words_of(word)) set.insert(std::move(token.word));
    }
  };
  fill(articles_, spoken_.articles);
  fill(guards_, spoken_.guards);
  fill(openers_, spoken_.openers);
  fill(fillers_, spoken_.fillers);
  const std::array<std::pair<NoteCommand, const std::vector<std::string>*>, 5> commands = {
      {{NoteCommand::start, &spoken_.start},
       {NoteCommand::end, &spoken_.end},
       {NoteCommand::cancel, &spoken_.cancel},
       {NoteCommand::scratch, &spoken_.scratch},
       {NoteCommand::stop, &spoken_.stop}}};
  const auto add = [&](std::vector<Phrase>& list, NoteCommand command, const std::vector<std::string>& wordings) {
    for (const auto& wording : wordings) {
      auto phrase = make_phrase(command, wording);
      if (phrase.content_words == 0) continue;  // nothing to recognise it by
      // A filler that belongs to a phrase means something ("okay" in "okay computer").
      for (const auto& word : phrase.words) fillers_.erase(word);
      list.push_back(std::move(phrase));
    }
  };
  for (const auto& [command, wordings] : commands) add(phrases_, command, *wordings);
  for (const auto& phrase : phrases_) {
    for (const auto& word : phrase.words) {
      if (!articles_.contains(word)) vocabulary_.insert(word);
    }
  }
  add(prefixes_, {}, spoken_.prefixes);
  add(titles_, {}, spoken_.title);
}

PhraseMatcher::Phrase PhraseMatcher::make_phrase(NoteCommand command, std::string_view text) const {
  Phrase phrase{command, {}, {}, 0};
  for (auto& token : words_of(text)) {
    if (!articles_.contains(token.word)) ++phrase.content_words;
    phrase.sounds.push_back(sound_of(token.word));
    phrase.words.push_back(std::move(token.word));
  }
  return phrase;
}

PhraseMatcher::Tokens PhraseMatcher::tokenise(std::string_view text) const {
  auto tokens = words_of(text);
  Tokens kept;
  kept.reserve(tokens.size());
  bool pause = false;
  bool sentence = false;
  for (auto& token : tokens) {
    pause = pause || token.pause_before;
    sentence = sentence || token.sentence_before;
    if (fillers_.contains(token.word)) continue;
    token.pause_before = std::exchange(pause, false);
    token.sentence_before = std::exchange(sentence, false);
    if (token.word.size() <= kLongestWord && !vocabulary_.contains(token.word)) token.sound = sound_of(token.word);
    kept.push_back(std::move(token));
  }
  return kept;
}

int PhraseMatcher::substitution_cost(const Token& said, const std::string& meant, const std::u32string& sound) const {
  if (said.word == meant) return 0;
  if (articles_.contains(said.word) && articles_.contains(meant)) return kArticle;
  return said.sound.empty() ? kNever : misheard_cost(said.sound, sound);
}

/// The cheapest way to hear `phrase` in the words from `first` on. Its first and last content words must have been
/// said, at the ends of what it takes. With `loose`, any words will do.
std::optional<PhraseMatcher::Alignment> PhraseMatcher::align(const Tokens& tokens, std::size_t first,
                                                             const Phrase& phrase, bool loose) const {
  const std::size_t words = phrase.words.size();
  const std::size_t said = std::min(tokens.size() - first, words + 2);
  const auto is_content = [&](std::size_t i) { return !articles_.contains(phrase.words[i]); };
  std::size_t first_content = 0;
  while (first_content < words && !is_content(first_content)) ++first_content;
  std::size_t last_content = words;
  while (last_content > 0 && !is_content(last_content - 1)) --last_content;

  struct Cell {
    int cost = kNever;
    int heard = 0;
  };
  std::vector<Cell> cells((words + 1) * (said + 1));
  const auto cell = [&](std::size_t i, std::size_t j) -> Cell& { return cells[i * (said + 1) + j]; };
  const auto reach = [&](std::size_t i, std::size_t j, int cost, int heard) {
    auto& target = cell(i, j);
    if (cost < target.cost || (cost == target.cost && heard > target.heard)) target = {cost, heard};
  };
  cell(0, 0).cost = 0;
  for (std::size_t i = 0; i <= words; ++i) {
    for (std::size_t j = 0; j <= said; ++j) {
      const Cell here = cell(i, j);
      if (here.cost >= kNever) continue;
      if (i < words && j < said) {
        int cost = substitution_cost(tokens[first + j], phrase.words[i], phrase.sounds[i]);
        if (loose) cost = std::min(cost, kLooseMisfit);
        if (cost < kNever) reach(i + 1, j + 1, here.cost + cost, here.heard + (is_content(i) ? 1 : 0));
      }
      if (j < said && i > 0 && i < words) {  // a word too many
        reach(i, j + 1, here.cost + (articles_.contains(tokens[first + j].word) ? kArticle : kError), here.heard);
      }
      if (i < words && (loose || (i != first_content && i + 1 != last_content))) {  // a word too few
        const int missing = loose ? 2 * kLooseMisfit : kError;
        reach(i + 1, j, here.cost + (is_content(i) ? missing : kArticle), here.heard);
      }
      // Words divided otherwise.
      std::u32string meant;
      int content = 0;
      for (std::size_t a = 1; a <= kMerged && i + a <= words; ++a) {
        meant += phrase.sounds[i + a - 1];
        content += is_content(i + a - 1) ? 1 : 0;
        std::u32string heard;
        for (std::size_t b = 1; b <= kMerged && j + b <= said && !tokens[first + j + b - 1].sound.empty(); ++b) {
          heard += tokens[first + j + b - 1].sound;
          if ((a == 1 && b == 1) || content == 0) continue;
          const int cost = misheard_cost(heard, meant);
          // A share of so many words.
          if (cost < kNever) reach(i + a, j + b, here.cost + content * cost, here.heard + content);
        }
      }
    }
  }

  std::optional<Alignment> best;
  for (std::size_t j = 1; j <= said; ++j) {
    const auto& end = cell(words, j);
    if (end.cost < kNever && (!best || end.cost < best->cost)) best = Alignment{end.cost, first + j, end.heard};
  }
  return best;
}

std::size_t PhraseMatcher::behind_prefix(const Tokens& tokens, std::size_t first, bool exact) const {
  std::size_t behind = first;
  for (const auto& prefix : prefixes_) {
    if (first >= tokens.size()) break;
    const auto alignment = align(tokens, first, prefix, false);
    if (alignment && alignment->next > behind && (!exact || alignment->cost == 0) &&
        alignment->next - first == prefix.words.size()) {
      behind = alignment->next;
    }
  }
  return behind;
}

/// The command that begins with the word `first`, if it costs no more than its budget and `bonus`.
std::optional<PhraseMatcher::Found> PhraseMatcher::command_at(const Tokens& tokens, std::size_t first, bool start,
                                                              int bonus) const {
  std::optional<Found> best;
  for (const auto& phrase : phrases_) {
    if ((phrase.command == NoteCommand::start) != start) continue;
    const auto alignment = align(tokens, first, phrase, false);
    if (!alignment || alignment->cost > budget(phrase.content_words) + bonus) continue;
    const bool ends_here = alignment->next == tokens.size() || tokens[alignment->next].pause_before;
    // In the middle of speech a start command has to be clearer than where it stands alone.
    if (start && !ends_here && (alignment->heard < 3 || alignment->cost > kError + kArticle + bonus)) continue;
    if (!best || alignment->cost < best->cost || (alignment->cost == best->cost && alignment->next > best->next)) {
      best = Found{phrase.command, first, alignment->next, alignment->cost};
    }
  }
  return best;
}

/// Reads the words from `first` on as commands and nothing else, except for what follows a start command.
bool PhraseMatcher::only_commands(const Tokens& tokens, std::size_t first, bool may_start,
                                  std::vector<Found>& found) const {
  const std::size_t kept = found.size();
  for (std::size_t at = first; at < tokens.size();) {
    std::size_t opened = at;
    while (at == 0 && opened < tokens.size() && openers_.contains(tokens[opened].word)) ++opened;
    const std::size_t called = behind_prefix(tokens, opened, false);
    std::optional<Found> next;
    // What looks like an opener or sounds like a prefix may be the command itself.
    for (const std::size_t from : {at, opened, called}) {
      if (next || from == tokens.size() || found.size() - kept == kCommandsInARow) continue;
      const int bonus = from > opened ? kPrefixBonus : 0;
      if (may_start) next = command_at(tokens, from, true, bonus);
      if (!next) next = command_at(tokens, from, false, bonus);
    }
    if (!next) {
      found.resize(kept);
      return false;
    }
    next->first = at;
    found.push_back(*next);
    at = next->next;
    if (found.back().command == NoteCommand::start) {
      trailing_commands(tokens, at, found);
      return true;
    }
  }
  return found.size() > kept;
}

/// Looks for commands at the end of the words from `from` on, which are content before that.
void PhraseMatcher::trailing_commands(const Tokens& tokens, std::size_t from, std::vector<Found>& found) const {
  const std::size_t earliest = tokens.size() > kTrailingWords ? tokens.size() - kTrailingWords : 0;
  for (std::size_t at = std::max(from, earliest); at < tokens.size(); ++at) {
    const std::size_t command = behind_prefix(tokens, at, true);
    if (command == tokens.size()) continue;
    const bool set_off = command != at || tokens[at].sentence_before || at == from;
    const bool behind_guard = at > 0 && guards_.contains(tokens[at - 1].word);
    if (!set_off && !tokens[at].pause_before && behind_guard) continue;
    auto first = command_at(tokens, command, false, command != at ? kPrefixBonus : 0);
    if (!first || (!set_off && first->cost > kWordForWord)) continue;
    const bool drastic = first->command == NoteCommand::cancel || first->command == NoteCommand::stop;
    if (drastic && !set_off && !tokens[at].pause_before) continue;
    first->first = at;
    const std::size_t kept = found.size();
    found.push_back(*first);
    if (first->next == tokens.size() || only_commands(tokens, first->next, false, found)) return;
    found.resize(kept);
  }
}

std::vector<PhraseMatch> PhraseMatcher::match(std::string_view text) const {
  const auto tokens = tokenise(text);
  std::vector<Found> found;
  if (!only_commands(tokens, 0, true, found) && tokens.size() > 1) trailing_commands(tokens, 0, found);

  std::vector<PhraseMatch> matches;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool last = i + 1 == found.size();
    std::size_t end = last ? text.size() : tokens[found[i + 1].first].begin;
    if (found[i].command == NoteCommand::start && found[i].next < tokens.size()) end = tokens[found[i].next - 1].end;
    matches.push_back({found[i].command, found[i].first == 0 ? 0 : tokens[found[i].first].begin, end});
  }
  return matches;
}

std::string PhraseMatcher::title(std::string_view text) const {
  auto tokens = tokenise(text);
  std::size_t first = behind_prefix(tokens, 0, true);
  for (const auto& lead : titles_) {
    if (first >= tokens.size()) break;
    const auto alignment = align(tokens, first, lead, false);
    if (alignment && alignment->cost == 0 && alignment->next < tokens.size()) {
      first = alignment->next;
      break;
    }
  }
  if (first == tokens.size()) return {};
  std::string title;
  const auto take = [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to;) {
      const auto point = utf8::decode(text, at);
      if (!point.valid) {
        utf8::append(title, 0xFFFD);
      } else if (!is_space(point.value)) {
        title += text.substr(at, point.next - at);
      } else if (!title.empty() && title.back() != ' ') {
        title += ' ';
      }
      at = point.next;
    }
  };
  const auto all = words_of(text);
  const std::size_t last = all.back().end;
  take(tokens[first].begin, last);
  for (std::size_t at = last; at < text.size() && (text[at] == '?' || text[at] == '!'); ++at) title += text[at];
  return title;
}

std::optional<NoteCommand> PhraseMatcher::command_of(std::string_view phrase) const {
  const auto spotted = make_phrase({}, phrase);
  for (const auto& known : phrases_) {
    if (known.words == spotted.words) return known.command;
  }
  return std::nullopt;
}

std::size_t PhraseMatcher::likely_end(std::string_view text, std::string_view phrase) const {
  const auto tokens = tokenise(text);
  const auto spotted = make_phrase({}, phrase);
  const std::size_t first = behind_prefix(tokens, 0, false);
  if (spotted.words.empty() || first >= tokens.size()) return text.size();
  const auto alignment = align(tokens, first, spotted, true);
  if (!alignment || alignment->next == tokens.size()) return text.size();
  return tokens[alignment->next - 1].end;
}

bool is_phrase(std::string_view text) {
  NotePhrases phrases;
  phrases.articles = NotePhrases::english().articles;
  phrases.end = {std::string(text)};
  return PhraseMatcher(std::move(phrases)).command_of(text).has_value();
}

std::vector<std::string> PhraseMatcher::commands() const {
  std::vector<std::string> all;
  for (const auto* list : {&spoken_.start, &spoken_.end, &spoken_.cancel, &spoken_.scratch, &spoken_.stop}) {
    all.insert(all.end(), list->begin(), list->end());
  }
  return all;
}

}  // namespace dictum::notes
