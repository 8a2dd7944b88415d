#include "notes/phrase_matcher.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/utf8.hpp"
#include "notes/sound.hpp"

namespace dictum::notes {

namespace {

// Costs of an alignment: one whole recognition error is 10.
constexpr int kError = 10;
constexpr int kArticle = 1;       // an article dropped, added or replaced by another
constexpr int kArticlesOnly = 2;  // the tolerance where every other word has to be right
constexpr int kWordForWord = 3;   // the same, and "and note" for "end note"
constexpr int kPrefixBonus = 3;
constexpr int kNever = 1'000'000;

// Words further apart than this are different words. "no" for "note" is 0.33, "notebook" 0.42.
constexpr double kAlike = 0.38;

// How far the text may be from a phrase of three words or more that the recogniser spotted itself: "dark a new row" for
// "start a new note".
constexpr double kSpottedDistance = 0.5;

// A title phrase of several words may be written as fewer: "the titles" for "the title is".
constexpr int kTitlePhraseCost = 4;

constexpr std::size_t kMaxWordBytes = 32;   // a longer word is not matched by sound
constexpr std::size_t kTrailingWords = 16;  // how far from its end a segment is searched for commands
constexpr std::size_t kMaxCommandsInARow = 4;
constexpr std::size_t kMaxMerged = 3;  // words that a recogniser may divide otherwise: "start a new", "starting you"
constexpr std::size_t kMaxExtraWords = 2;     // that a text may have beyond a phrase
constexpr std::size_t kMaxCourtesyWords = 4;  // behind a command
constexpr std::size_t kMaxTitlePhrases = 2;   // in a row: "titled … call it"
constexpr std::size_t kMaxTitleWords = 8;     // a longer title in one breath with its body ends at a comma

int budget(int content_words) {
  const int errors = content_words * kError / 3;
  return content_words < 3 ? errors : errors + 2 * kArticle;
}

int confusion_cost(std::u32string_view said, std::u32string_view meant) {
  const std::size_t longer = std::max(said.size(), meant.size());
  const std::size_t shorter = std::min(said.size(), meant.size());
  if (static_cast<double>(longer - shorter) > 2 * kAlike * static_cast<double>(longer)) return kNever;  // spares work
  const double distance = sound_distance(said, meant, kAlike);
  return distance > kAlike ? kNever : std::max(1, static_cast<int>(std::ceil(3 * kError * distance)));
}

char32_t code_point_at(std::string_view text, std::size_t at) {
  const auto point = utf8::decode(text, at);
  return point.valid ? static_cast<char32_t>(point.value) : U'\xFFFD';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// Whether the text has punctuation, so that its absence somewhere in it means something: in a long text without any
/// but its last stop it means nothing.
bool is_punctuated(std::string_view text) {
  constexpr std::size_t kLongBytes = 60;  // about a dozen words, in one breath
  constexpr std::string_view kMarks = ".,!?;:";
  const auto mark = text.find_first_of(kMarks);
  const bool is_last = text.find_first_not_of(" .!?", mark) == std::string_view::npos;
  return mark != std::string_view::npos && !(is_last && text.size() > kLongBytes);
}

// Belongs to the word beside it: "$50", "100%", "C++".
bool is_symbol(char32_t c) {
  if (c < 0x80) return std::string_view("$#@+&%=").find(static_cast<char>(c)) != std::string_view::npos;
  return (c >= 0x20A0 && c <= 0x20CF) || (c >= 0xA2 && c <= 0xA5) || c == 0xA7 || c == 0xB0 || c == 0x2030 ||
         c == 0x2122;
}

/// `text` on one line: valid UTF-8, single spaces, no control characters.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = utf8::decode(text, at);
    if (!point.valid) {
      utf8::append(line, 0xFFFD);
    } else if (!is_space(static_cast<char32_t>(point.value))) {
      line += text.substr(at, point.next - at);
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    at = point.next;
  }
  return line;
}

/// The first word that does not end before the byte `at`.
std::size_t word_at(const std::vector<TextWord>& words, std::size_t at) {
  return static_cast<std::size_t>(std::ranges::find_if(words, [&](const TextWord& word) { return word.end > at; }) -
                                  words.begin());
}

/// The words from `first` to before `next`, with the symbols that belong to them.
Title title_of(std::string_view text, const std::vector<TextWord>& words, std::size_t first, std::size_t next) {
  std::size_t begin = words[first].begin;
  std::size_t end = words[next - 1].end;
  while (begin > 0 && is_symbol(static_cast<unsigned char>(text[begin - 1]))) --begin;
  bool open_parenthesis = text.substr(begin, end - begin).rfind('(') != std::string_view::npos;
  std::size_t behind = end;
  while (behind < text.size() && (next == words.size() || behind < words[next].begin)) {
    const auto point = utf8::decode(text, behind);
    const char32_t c = code_point_at(text, behind);
    if (is_space(c)) break;
    const bool closes = c == U')' && std::exchange(open_parenthesis, false);
    if (is_symbol(c) || c == U'?' || closes) end = point.next;
    behind = point.next;
  }
  return {on_one_line(text.substr(begin, end - begin)), next == words.size() ? text.size() : behind};
}

}  // namespace

PhraseMatcher::PhraseMatcher(NotePhrases phrases) : spoken_(std::move(phrases)) {
  const auto fill = [](std::unordered_set<std::string>& set, const std::vector<std::string>& words) {
    for (const auto& word : words) {
      for (auto& token : split_words(word)) set.insert(std::move(token.word));
    }
  };
  fill(articles_, spoken_.articles);
  fill(guards_, spoken_.guards);
  fill(openers_, spoken_.openers);
  fill(fillers_, spoken_.fillers);
  fill(continuations_, spoken_.continuations);
  fill(abbreviations_, spoken_.abbreviations);
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
  add(requests_, {}, spoken_.requests);
  add(courtesies_, {}, spoken_.courtesies);
  add(titles_, {}, spoken_.title);
}

PhraseMatcher::Phrase PhraseMatcher::make_phrase(NoteCommand command, std::string_view text) const {
  Phrase phrase{command, std::string(text), {}, {}, 0};
  for (auto& token : split_words(text)) {
    if (!articles_.contains(token.word)) ++phrase.content_words;
    phrase.sounds.push_back(sound_of(token.word));
    phrase.words.push_back(std::move(token.word));
  }
  return phrase;
}

PhraseMatcher::Tokens PhraseMatcher::tokenise(std::string_view text) const {
  auto words = split_words(text);
  Tokens kept;
  kept.reserve(words.size());
  bool pause = false;
  bool sentence = false;
  for (auto& word : words) {
    pause = pause || word.pause_before;
    sentence = sentence || word.sentence_before;
    if (fillers_.contains(word.word)) continue;
    word.pause_before = std::exchange(pause, false);
    word.sentence_before = std::exchange(sentence, false);
    std::u32string sound;
    if (word.word.size() <= kMaxWordBytes && !vocabulary_.contains(word.word)) sound = sound_of(word.word);
    kept.push_back({std::move(word), std::move(sound)});
  }
  return kept;
}

int PhraseMatcher::substitution_cost(const Token& said, const std::string& meant, const std::u32string& sound) const {
  if (said.word == meant) return 0;
  if (articles_.contains(said.word) && articles_.contains(meant)) return kArticle;
  return said.sound.empty() ? kNever : confusion_cost(said.sound, sound);
}

/// The cheapest way to read `phrase` in the words from `first` on. Its first and last content words must have been
/// said, at the ends of what it takes; an article before the first is not another one ("a new note", "the new note").
std::optional<PhraseMatcher::Alignment> PhraseMatcher::align(const Tokens& tokens, std::size_t first,
                                                             const Phrase& phrase) const {
  const std::size_t words = phrase.words.size();
  const std::size_t said = std::min(tokens.size() - first, words + kMaxExtraWords);
  const auto is_content = [&](std::size_t i) { return !articles_.contains(phrase.words[i]); };
  std::size_t first_content = 0;
  while (first_content < words && !is_content(first_content)) ++first_content;
  std::size_t last_content = words;
  while (last_content > 0 && !is_content(last_content - 1)) --last_content;

  struct Cell {
    int cost = kNever;
    int matched = 0;
  };
  std::vector<Cell> cells((words + 1) * (said + 1));
  const auto cell = [&](std::size_t i, std::size_t j) -> Cell& { return cells[i * (said + 1) + j]; };
  const auto reach = [&](std::size_t i, std::size_t j, int cost, int matched) {
    auto& target = cell(i, j);
    if (cost < target.cost || (cost == target.cost && matched > target.matched)) target = {cost, matched};
  };
  cell(0, 0).cost = 0;
  for (std::size_t i = 0; i <= words; ++i) {
    for (std::size_t j = 0; j <= said; ++j) {
      const Cell here = cell(i, j);
      if (here.cost >= kNever) continue;
      if (i < words && j < said) {
        int cost = substitution_cost(tokens[first + j], phrase.words[i], phrase.sounds[i]);
        if (i < first_content && cost != 0) cost = kNever;
        if (cost < kNever) reach(i + 1, j + 1, here.cost + cost, here.matched + (is_content(i) ? 1 : 0));
      }
      if (j < said && i > first_content && i < words) {  // a word too many
        reach(i, j + 1, here.cost + (articles_.contains(tokens[first + j].word) ? kArticle : kError), here.matched);
      }
      if (i < words && i != first_content && i + 1 != last_content) {  // a word too few
        reach(i + 1, j, here.cost + (is_content(i) ? kError : kArticle), here.matched);
      }
      // Words divided otherwise.
      std::u32string meant;
      int content = 0;
      for (std::size_t a = 1; a <= kMaxMerged && i + a <= words; ++a) {
        meant += phrase.sounds[i + a - 1];
        content += is_content(i + a - 1) ? 1 : 0;
        std::u32string said_sounds;
        for (std::size_t b = 1; b <= kMaxMerged && j + b <= said && !tokens[first + j + b - 1].sound.empty(); ++b) {
          said_sounds += tokens[first + j + b - 1].sound;
          if ((a == 1 && b == 1) || content == 0) continue;
          const int cost = confusion_cost(said_sounds, meant);
          // A share of so many words.
          if (cost < kNever) reach(i + a, j + b, here.cost + content * cost, here.matched + content);
        }
      }
    }
  }

  std::optional<Alignment> best;
  for (std::size_t j = 1; j <= said; ++j) {
    const auto& end = cell(words, j);
    if (end.cost < kNever && (!best || end.cost < best->cost)) best = Alignment{end.cost, first + j, end.matched};
  }
  return best;
}

std::size_t PhraseMatcher::behind_prefix(const Tokens& tokens, std::size_t first, bool exact) const {
  std::size_t behind = first;
  for (const auto& prefix : prefixes_) {
    if (first >= tokens.size()) break;
    const auto alignment = align(tokens, first, prefix);
    if (alignment && alignment->next > behind && (!exact || alignment->cost == 0) &&
        alignment->next - first == prefix.words.size()) {
      behind = alignment->next;
    }
  }
  return behind;
}

/// Behind the longest of `phrases` that stands at `first` word for word; `first` where none does.
std::size_t PhraseMatcher::behind_words(const Tokens& tokens, std::size_t first, const std::vector<Phrase>& phrases) {
  std::size_t behind = first;
  for (const auto& phrase : phrases) {
    const std::size_t count = phrase.words.size();
    if (count > tokens.size() - first || first + count <= behind) continue;
    const auto said = tokens.begin() + static_cast<std::ptrdiff_t>(first);
    if (std::equal(phrase.words.begin(), phrase.words.end(), said,
                   [](const std::string& word, const Token& token) { return word == token.word; })) {
      behind = first + count;
    }
  }
  return behind;
}

/// Behind what introduces a title at `first`.
std::size_t PhraseMatcher::behind_title_phrases(const Tokens& tokens, std::size_t first) const {
  std::size_t behind = first;
  for (std::size_t i = 0; i < kMaxTitlePhrases && behind < tokens.size(); ++i) {
    std::size_t next = behind_words(tokens, behind, titles_);
    for (const auto& phrase : titles_) {
      if (phrase.content_words < 2 || next != behind) continue;
      const auto alignment = align(tokens, behind, phrase);
      if (alignment && alignment->cost <= kTitlePhraseCost) next = alignment->next;
    }
    if (next == behind) break;
    behind = next;
  }
  return behind;
}

bool PhraseMatcher::is_set_off(const Tokens& tokens, std::size_t next) const {
  return next == tokens.size() || tokens[next].pause_before;
}

bool PhraseMatcher::is_titled(const Tokens& tokens, std::size_t next) const {
  return behind_title_phrases(tokens, next) != next;
}

/// The command that begins with the word `first`, if it costs no more than its budget and the context's bonus.
std::optional<PhraseMatcher::Found> PhraseMatcher::command_at(const Tokens& tokens, std::size_t first, bool start,
                                                              const Context& context) const {
  std::optional<Found> best;
  for (const auto& phrase : phrases_) {
    if ((phrase.command == NoteCommand::start) != start) continue;
    if (context.requested && phrase.command == NoteCommand::scratch) continue;  // "I want to scratch that"
    const auto alignment = align(tokens, first, phrase);
    if (!alignment || alignment->cost > budget(phrase.content_words) + context.bonus) continue;
    std::size_t next = alignment->next;
    if (const auto behind = behind_words(tokens, next, courtesies_); is_set_off(tokens, behind)) next = behind;
    if (start && !is_set_off(tokens, next)) {
      // Within a sentence a start has to be clearer than where it stands alone.
      const bool titled = is_titled(tokens, next);
      const int limit = titled ? kError + kArticle : kArticlesOnly;
      if (alignment->cost > limit + context.bonus) continue;
      if (!titled && (context.requested || alignment->matched_words < 3)) continue;
      if (!titled && continuations_.contains(tokens[next].word)) continue;
    }
    if (!best || alignment->cost < best->cost || (alignment->cost == best->cost && next > best->next)) {
      best = Found{phrase.command, first, next, alignment->cost};
    }
  }
  return best;
}

/// Reads the words from `first` on as commands and nothing else, except for what follows a start command.
bool PhraseMatcher::only_commands(const Tokens& tokens, std::size_t first, bool may_start, bool punctuated,
                                  std::vector<Found>& found) const {
  const std::size_t kept = found.size();
  for (std::size_t at = first; at < tokens.size();) {
    std::size_t opened = at;
    while (at == 0 && opened < tokens.size() && openers_.contains(tokens[opened].word)) ++opened;
    const std::size_t called = behind_prefix(tokens, opened, false);
    const std::size_t requested = behind_words(tokens, called, requests_);
    std::optional<Found> next;
    // What looks like an opener or sounds like a prefix may be the command itself.
    for (const std::size_t from : {at, opened, called, requested}) {
      if (next || from == tokens.size() || found.size() - kept == kMaxCommandsInARow) continue;
      const Context context{from > opened && called > opened ? kPrefixBonus : 0, from > called};
      if (may_start) next = command_at(tokens, from, true, context);
      if (!next) next = command_at(tokens, from, false, context);
    }
    if (!next) {
      found.resize(kept);
      return false;
    }
    next->first = at;
    found.push_back(*next);
    at = next->next;
    if (found.back().command == NoteCommand::start) {
      trailing_commands(tokens, at, punctuated, found);
      return true;
    }
  }
  return found.size() > kept;
}

/// Looks for commands at the end of the words from `from` on, which are content before that.
void PhraseMatcher::trailing_commands(const Tokens& tokens, std::size_t from, bool punctuated,
                                      std::vector<Found>& found) const {
  const std::size_t earliest = tokens.size() > kTrailingWords ? tokens.size() - kTrailingWords : 0;
  for (std::size_t at = std::max(from, earliest); at < tokens.size(); ++at) {
    const std::size_t command = behind_prefix(tokens, at, true);
    if (command == tokens.size()) continue;
    const bool set_off = command != at || tokens[at].sentence_before || at == from;
    const bool behind_guard = at > 0 && guards_.contains(tokens[at - 1].word);
    if (!set_off && !tokens[at].pause_before && behind_guard) continue;
    const Context context{command != at ? kPrefixBonus : 0, false};
    auto first = command_at(tokens, command, false, context);
    // A recogniser that writes punctuation shows a command that is one: "Check and note." has none.
    const int limit = punctuated && !tokens[at].pause_before ? kArticlesOnly : kWordForWord;
    if (!first || (!set_off && first->cost > limit)) continue;
    const bool drastic = first->command == NoteCommand::cancel || first->command == NoteCommand::stop;
    if (drastic && !set_off && !tokens[at].pause_before) continue;
    first->first = at;
    const std::size_t kept = found.size();
    found.push_back(*first);
    if (first->next == tokens.size() || only_commands(tokens, first->next, false, punctuated, found)) return;
    found.resize(kept);
  }
}

std::vector<PhraseMatcher::Found> PhraseMatcher::find(const Tokens& tokens, bool punctuated) const {
  std::vector<Found> found;
  if (!only_commands(tokens, 0, true, punctuated, found) && tokens.size() > 1) {
    trailing_commands(tokens, 0, punctuated, found);
  }
  return found;
}

std::vector<PhraseMatch> PhraseMatcher::match(std::string_view text) const {
  const auto tokens = tokenise(text);
  const auto found = find(tokens, is_punctuated(text));
  std::vector<PhraseMatch> matches;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool last = i + 1 == found.size();
    std::size_t end = last ? text.size() : tokens[found[i + 1].first].begin;
    if (found[i].command == NoteCommand::start && found[i].next < tokens.size()) end = tokens[found[i].next - 1].end;
    matches.push_back(
        {found[i].command, found[i].first == 0 ? 0 : tokens[found[i].first].begin, end, found[i].cost <= kWordForWord});
  }
  return matches;
}

/// Where the words sound most like `phrase`: at the beginning for a start, at the end for another command.
std::optional<PhraseMatcher::Range> PhraseMatcher::nearest(const Tokens& tokens, const Phrase& phrase,
                                                           double limit) const {
  std::u32string meant;
  for (const auto& sound : phrase.sounds) meant += sound;
  const std::size_t words = phrase.words.size();
  std::optional<Range> best;
  const auto compare = [&](std::size_t first, std::size_t next) {
    std::u32string said;
    for (std::size_t i = first; i < next; ++i) {
      if (tokens[i].word.size() > kMaxWordBytes) return;
      said += sound_of(tokens[i].word);
    }
    const double distance = sound_distance(said, meant, limit);
    if (distance <= limit && (!best || distance < best->distance)) best = Range{first, next, distance};
  };
  std::vector<std::size_t> beginnings = {0};
  if (phrase.command != NoteCommand::start) {
    const auto last =
        std::find_if(tokens.rbegin(), tokens.rend(), [](const Token& token) { return token.sentence_before; });
    if (last != tokens.rend()) beginnings.push_back(static_cast<std::size_t>(tokens.rend() - last) - 1);
  }
  for (const std::size_t beginning : beginnings) {
    std::size_t opened = beginning;
    while (beginning == 0 && opened < tokens.size() && openers_.contains(tokens[opened].word)) ++opened;
    const std::size_t called = behind_prefix(tokens, opened, false);
    // A word that punctuation sets off may be a name that was misheard: "Victor, start a new note".
    const bool is_addressed = opened + 1 < tokens.size() && tokens[opened + 1].pause_before;
    const std::size_t named = is_addressed ? opened + 1 : opened;
    for (const std::size_t first : {beginning, opened, named, called, behind_words(tokens, called, requests_)}) {
      if (phrase.command == NoteCommand::start) {
        const std::size_t longest = std::min(tokens.size(), first + words + kMaxExtraWords);
        for (std::size_t next = first + 1; next <= longest; ++next) compare(first, next);
      } else {
        for (std::size_t next = tokens.size(); next > first && tokens.size() - next <= kMaxCourtesyWords; --next) {
          const bool ends = next == tokens.size() || behind_words(tokens, next, courtesies_) == tokens.size();
          if (ends && next - first <= words + kMaxExtraWords) compare(first, next);
        }
      }
      if (best && best->first == first) best->first = beginning;
    }
  }
  return best;
}

std::optional<NearMatch> PhraseMatcher::near(std::string_view text) const {
  const auto tokens = tokenise(text);
  if (tokens.empty()) return std::nullopt;
  const auto found = find(tokens, is_punctuated(text));
  const bool starts = !found.empty() && found.front().first == 0;
  const bool ends =
      !found.empty() && (found.back().command != NoteCommand::start || found.back().next == tokens.size());
  std::optional<NearMatch> best;
  for (const auto& phrase : phrases_) {
    const bool start = phrase.command == NoteCommand::start;
    if (start ? starts : ends) continue;
    const auto range = nearest(tokens, phrase, kNearDistance);
    if (!range || (best && best->distance <= range->distance)) continue;
    const bool set_off =
        !start || is_set_off(tokens, behind_words(tokens, range->next, courtesies_)) || is_titled(tokens, range->next);
    if (!set_off && phrase.content_words < 3) continue;
    best = NearMatch{phrase.command, phrase.text, range->distance, set_off};
  }
  return best;
}

std::optional<NearMatch> PhraseMatcher::confirmed(std::string_view first_text, std::string_view second_text) const {
  auto match = near(first_text);
  if (!match) return std::nullopt;
  const auto second = tokenise(second_text);
  const auto found = find(second, is_punctuated(second_text));
  const bool is_confirmed = std::ranges::any_of(found, [&](const Found& said) {
    return said.command == match->command && said.cost <= kArticlesOnly &&
           (said.command != NoteCommand::start || said.first == 0) &&
           (match->is_set_off || is_titled(second, said.next));
  });
  return is_confirmed ? match : std::nullopt;
}

std::optional<PhraseMatch> PhraseMatcher::locate(std::string_view text, std::string_view phrase) const {
  const auto command = command_of(phrase);
  const auto tokens = tokenise(text);
  if (!command || tokens.empty()) return std::nullopt;
  const auto spotted = make_phrase(*command, phrase);
  const bool is_short = spotted.content_words < 3;  // and so sounds like much that people say
  const auto range = nearest(tokens, spotted, is_short ? kNearDistance : kSpottedDistance);
  if (!range) return std::nullopt;
  if (is_short && *command == NoteCommand::start && !is_set_off(tokens, range->next)) return std::nullopt;
  const bool open_ended = *command == NoteCommand::start && range->next < tokens.size();
  return PhraseMatch{*command, range->first == 0 ? 0 : tokens[range->first].begin,
                     open_ended ? tokens[range->next - 1].end : text.size(), false};
}

/// Whether a sentence ends between two words with punctuation that can end one: not behind "Dr." or "J.".
bool PhraseMatcher::ends_sentence(std::string_view text, const TextWord& before, const TextWord& after) const {
  const bool is_full_stop = before.end < text.size() && text[before.end] == '.' && before.end + 1 < text.size() &&
                            is_space(code_point_at(text, before.end + 1));
  if (!is_full_stop) return true;
  if (abbreviations_.contains(before.word)) return false;
  const char first = text[before.begin];
  if (before.end - before.begin == 1 && is_upper(first) && first != 'I') return false;  // an initial
  // "a.m. in", "etc. and": with capitals in the text, a sentence does not begin without one.
  return !is_lower(text[after.begin]) || std::none_of(text.begin(), text.end(), is_upper);
}

/// Behind the prefix and the title phrases; the end of `text` where nothing follows them.
std::size_t PhraseMatcher::title_begin(std::string_view text) const {
  const auto tokens = tokenise(text);
  const std::size_t first = behind_title_phrases(tokens, behind_prefix(tokens, 0, true));
  return first == tokens.size() ? text.size() : tokens[first].begin;
}

/// The first word behind the sentence that begins with `first`.
std::size_t PhraseMatcher::end_of_sentence(std::string_view text, const std::vector<TextWord>& words,
                                           std::size_t first) const {
  std::size_t next = first + 1;
  while (next < words.size() && !(words[next].sentence_before && ends_sentence(text, words[next - 1], words[next])))
    ++next;
  return next;
}

Title PhraseMatcher::title(std::string_view text) const {
  const std::size_t begin = title_begin(text);
  if (begin == text.size()) return {{}, begin};
  const auto words = split_words(text);
  const std::size_t first = word_at(words, begin);
  return title_of(text, words, first, end_of_sentence(text, words, first));
}

Title PhraseMatcher::title_in_one_breath(std::string_view text, const std::vector<std::size_t>& pauses) const {
  const std::size_t begin = title_begin(text);
  if (begin == text.size()) return {{}, begin};
  const auto words = split_words(text);
  const std::size_t first = word_at(words, begin);
  const std::size_t end = end_of_sentence(text, words, first);
  std::size_t comma = first + 1;
  while (comma < end && !words[comma].pause_before) ++comma;
  if (end - first > kMaxTitleWords && comma < end) return title_of(text, words, first, comma);
  const auto pause = std::ranges::find_if(pauses, [&](std::size_t at) { return at >= words[first].end; });
  const bool is_punctuated = comma < words.size();
  if (is_punctuated || pause == pauses.end()) return title_of(text, words, first, end);
  return title_of(text, words, first, word_at(words, *pause));
}

bool PhraseMatcher::has_words(std::string_view text) {
  return !split_words(text).empty();
}

bool PhraseMatcher::only_introduces_title(std::string_view text) const {
  const auto tokens = tokenise(text);
  return !tokens.empty() && behind_title_phrases(tokens, 0) == tokens.size();
}

std::optional<NoteCommand> PhraseMatcher::command_of(std::string_view phrase) const {
  const auto spotted = make_phrase({}, phrase);
  for (const auto& known : phrases_) {
    if (known.words == spotted.words) return known.command;
  }
  return std::nullopt;
}

std::vector<std::string> PhraseMatcher::commands() const {
  std::vector<std::string> all;
  for (const auto* list : {&spoken_.start, &spoken_.end, &spoken_.cancel, &spoken_.scratch, &spoken_.stop}) {
    all.insert(all.end(), list->begin(), list->end());
  }
  return all;
}

}  // namespace dictum::notes
