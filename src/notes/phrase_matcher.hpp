#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dictum/event.hpp"

namespace dictum::notes {

/// What people say to steer notes. Every list may hold several wordings, in any language that writes words apart.
struct NotePhrases {
  std::vector<std::string> start;
  std::vector<std::string> title;  ///< leads in a title ("called", "the title is"); no command of its own
  std::vector<std::string> end;
  std::vector<std::string> cancel;
  std::vector<std::string> scratch;
  std::vector<std::string> stop;
  std::vector<std::string> prefixes;  ///< may be said before a command: "Clerk, start a new note"
  std::vector<std::string> openers;   ///< single words that may begin a segment before a command: "no, scratch that"
  std::vector<std::string> fillers;   ///< single words that mean nothing before, within or after a command
  std::vector<std::string> articles;  ///< single words that a recogniser drops, adds and confuses freely
  std::vector<std::string> guards;    ///< single words that make what follows no command: "about the end note"

  static NotePhrases english();
};

/// Whether a command or a prefix may be called that: there is a word in it that is no English article.
bool is_phrase(std::string_view text);

/// A command and the bytes of the text that it takes, its prefix and fillers included. What lies between two matches
/// (or before the first, or behind a start command) is content.
struct PhraseMatch {
  NoteCommand command{};
  std::size_t begin{};
  std::size_t end{};
  bool operator==(const PhraseMatch&) const = default;
};

/// Finds commands in what a recogniser made of one segment. Immutable once built, so safe from any thread. Takes any
/// bytes as text, in time linear in their number, and never fails.
///
/// Words are compared in order, each as often as it is said, without case, punctuation and fillers; one word in three
/// may be wrong: replaced by one that sounds alike, added, or dropped (never the first or the last of a phrase, so that
/// neither "the new note sounds wrong" nor "start a new job" is a command). A command stands where people put one:
/// - start: at the beginning of the segment; what follows is the title. A wording of fewer than three words counts only
///   where the segment or the sentence ends behind it ("make a note" does, "make a note of the number" does not);
/// - end and scratch: as the whole segment or, word for word, at its end;
/// - cancel and stop: as the whole segment, or at its end behind punctuation or a prefix;
/// - a prefix before a command makes it likelier, so that a little more may be wrong behind one;
/// - commands may follow each other: "end note, start a new note, groceries".
class PhraseMatcher {
 public:
  explicit PhraseMatcher(NotePhrases phrases);

  /// The commands in `text`, in their order; most segments hold none.
  std::vector<PhraseMatch> match(std::string_view text) const;

  /// `text` as a title: without prefix, fillers and a title phrase before it and punctuation around it, with its own
  /// case, on one line. Empty where that leaves nothing.
  std::string title(std::string_view text) const;

  /// The command that a phrase spotted by a recogniser stands for.
  std::optional<NoteCommand> command_of(std::string_view phrase) const;

  /// Where `phrase` most likely ends in `text`, given that it is known to have been said at the beginning of it.
  std::size_t likely_end(std::string_view text, std::string_view phrase) const;

  /// Every command phrase, for recognisers that can listen for them.
  std::vector<std::string> commands() const;

 private:
  struct Token {
    std::string word;     // normalised
    std::size_t begin{};  // bytes of the text
    std::size_t end{};
    bool pause_before{};     // any punctuation between this word and the one before it
    bool sentence_before{};  // punctuation that ends a sentence
    std::u32string sound;    // empty where the word cannot be another one misheard
  };
  using Tokens = std::vector<Token>;

  struct Phrase {
    NoteCommand command{};
    std::vector<std::string> words;  // normalised
    std::vector<std::u32string> sounds;
    int content_words{};  // those that are no articles
  };
  struct Alignment {
    int cost{};
    std::size_t next{};  // the token behind the phrase
    int heard{};         // content words of the phrase that were said, well or badly
  };
  struct Found {
    NoteCommand command{};
    std::size_t first{};  // token, of the prefix where there is one
    std::size_t next{};   // the token behind it
    int cost{};
  };

  static Tokens words_of(std::string_view text);
  Tokens tokenise(std::string_view text) const;
  Phrase make_phrase(NoteCommand command, std::string_view text) const;
  int substitution_cost(const Token& said, const std::string& meant, const std::u32string& sound) const;
  std::optional<Alignment> align(const Tokens& tokens, std::size_t first, const Phrase& phrase, bool loose) const;
  std::size_t behind_prefix(const Tokens& tokens, std::size_t first, bool exact) const;
  std::optional<Found> command_at(const Tokens& tokens, std::size_t first, bool start, int bonus) const;
  bool only_commands(const Tokens& tokens, std::size_t first, bool may_start, std::vector<Found>& found) const;
  void trailing_commands(const Tokens& tokens, std::size_t from, std::vector<Found>& found) const;

  NotePhrases spoken_;
  std::unordered_set<std::string> openers_;
  std::unordered_set<std::string> fillers_;
  std::unordered_set<std::string> articles_;
  std::unordered_set<std::string> guards_;
  std::unordered_set<std::string> vocabulary_;  // content words of commands: one is never another one misheard
  std::vector<Phrase> phrases_;
  std::vector<Phrase> prefixes_;
  std::vector<Phrase> titles_;
};

}  // namespace dictum::notes
