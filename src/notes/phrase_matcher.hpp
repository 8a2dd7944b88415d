#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dictum/event.hpp"
#include "notes/note_phrases.hpp"
#include "notes/words.hpp"

namespace dictum::notes {

/// A command and the bytes of the text that it takes, its prefix and fillers included. What lies between two matches
/// (or before the first, or behind a start command) is content.
struct PhraseMatch {
  NoteCommand command{};
  std::size_t begin{};
  std::size_t end{};
  bool word_for_word{};  ///< no word but articles is wrong; "and note" for "end note" passes
  bool operator==(const PhraseMatch&) const = default;
};

/// A command that a text sounds like and does not hold: worth a second decoding.
struct NearMatch {
  NoteCommand command{};
  std::string phrase;  ///< the command phrase that it sounds like, as configured
  double distance{};   ///< of the sounds, as a share of the longer one: 0 to kNearDistance
  bool is_set_off{};   ///< of a start: nothing, punctuation or a title phrase follows it in the text
  bool operator==(const NearMatch&) const = default;
};

/// The largest distance of a near match: "end out" is 0.17 from "end note", "send note" 0.21, "this part of the note"
/// 0.25 from "discard the note".
inline constexpr double kNearDistance = 0.3;

/// A title, and where it ends.
struct Title {
  std::string text;   ///< on one line, without what introduces it and the punctuation around it; may be empty
  std::size_t end{};  ///< bytes of the text that the title takes; what follows belongs to the body
};

/// Finds commands in a recogniser's text of one segment. Immutable once built, so safe from any thread. Takes any bytes
/// as text, in time linear in their number, and never fails.
///
/// Words are compared in order, each as often as it is said, without case, punctuation and fillers; one word in three
/// may be wrong: replaced by one that sounds alike, added, or dropped (never the first or the last of a phrase, so that
/// neither "the new note sounds wrong" nor "start a new job" is a command). A command stands where people put one:
/// - start: at the beginning of the segment; what follows is the title. Where no punctuation and no title phrase
///   follows, it has to be said word for word. A wording of fewer than three words, or one behind a request ("could
///   you"), counts only where the segment or the sentence ends behind it or a title phrase follows ("make a note" does,
///   "make a note of the number" does not);
/// - end and scratch: as the whole segment or, word for word, at its end;
/// - cancel and stop: as the whole segment, or at its end behind punctuation or a prefix;
/// - a prefix before a command makes it likelier, so that a little more may be wrong behind one;
/// - commands may follow each other: "end note, start a new note, groceries".
///
/// **Verification.** A text without a command may still sound like one ("Start on your note."). A recogniser that takes
/// a prompt can decode such a segment a second time, with `commands()` as the prompt; a prompt alone is no evidence,
/// since it makes recognisers invent commands in noise. The three steps, of which the matcher does the first and last:
/// 1. `near(text)` says what the first text sounds like, or nothing (most texts);
/// 2. the recogniser decodes the segment once more with the prompt, if the segment is speech (not suspect);
/// 3. `confirmed(text, second_text)` accepts where the second text has a command word for word, and the first one
///    sounds like that command most. Where the sentence goes on behind a start in the first text, a title phrase has to
///    follow it in the second one: a prompt makes recognisers write full stops.
/// A confirmed match is added to the phrases of the *first* text (`DetectedPhrase`: phrase, `kConfirmedPhrase` as
/// confidence, the frames of the segment's speech), so that the journal holds it and a replay gives the same notes. The
/// text itself stays the first one: what is read into notes never comes from a prompted decoding.
class PhraseMatcher {
 public:
  explicit PhraseMatcher(NotePhrases phrases);

  /// The commands in `text`, in their order; most segments hold none.
  std::vector<PhraseMatch> match(std::string_view text) const;

  /// What sounds like a command where none matches: a start at the beginning (one of fewer than three words with
  /// nothing, punctuation or a title phrase behind it); another command as the whole of `text` or as its last sentence.
  /// Any one word with punctuation behind it may stand before: a name that was misheard.
  std::optional<NearMatch> near(std::string_view text) const;

  /// The command that the second, prompted text of a segment confirms, if it does.
  std::optional<NearMatch> confirmed(std::string_view first_text, std::string_view second_text) const;

  /// Where in `text` the phrase of a command stands that the recogniser spotted itself, if anything there sounds like
  /// it: at the beginning for a start; for another command as the whole of `text` or as its last sentence.
  std::optional<PhraseMatch> locate(std::string_view text, std::string_view phrase) const;

  /// The title at the beginning of `text`: without prefix, fillers, title phrases, quotation marks, final stops and
  /// "!"; with its own case, digits and question mark; up to the end of its sentence ("Dr." ends none).
  Title title(std::string_view text) const;

  /// The same where the body may follow in one breath: a long title ends at its first comma; one without any
  /// punctuation behind it at the first of `pauses`, the bytes of `text` at which a word begins.
  Title title_in_one_breath(std::string_view text, const std::vector<std::size_t>& pauses = {}) const;

  /// Whether `text` has a word in it, annotations of a recogniser aside.
  static bool has_words(std::string_view text);

  /// Whether `text` is nothing but the introduction of a title that is still to come: "the title is".
  bool only_introduces_title(std::string_view text) const;

  /// The command that a phrase spotted by a recogniser stands for.
  std::optional<NoteCommand> command_of(std::string_view phrase) const;

  /// Every command phrase, for recognisers that can search for phrases or take a prompt.
  std::vector<std::string> commands() const;

 private:
  struct Token : TextWord {
    std::u32string sound;  // empty where the word cannot be a misrecognition of another
  };
  using Tokens = std::vector<Token>;

  struct Phrase {
    NoteCommand command{};
    std::string text;                // as configured
    std::vector<std::string> words;  // normalised
    std::vector<std::u32string> sounds;
    int content_words{};  // those that are no articles
  };
  struct Alignment {
    int cost{};
    std::size_t next{};   // the token behind the phrase
    int matched_words{};  // content words of the phrase that were said, well or badly
  };
  struct Found {
    NoteCommand command{};
    std::size_t first{};  // token, of the prefix where there is one
    std::size_t next{};   // the token behind it
    int cost{};
  };
  struct Context {
    int bonus{};       // added to the budget
    bool requested{};  // behind "could you" or the like
  };
  struct Range {
    std::size_t first{};  // tokens
    std::size_t next{};
    double distance{};
  };

  Tokens tokenise(std::string_view text) const;
  Phrase make_phrase(NoteCommand command, std::string_view text) const;
  int substitution_cost(const Token& said, const std::string& meant, const std::u32string& sound) const;
  std::optional<Alignment> align(const Tokens& tokens, std::size_t first, const Phrase& phrase) const;
  std::size_t behind_prefix(const Tokens& tokens, std::size_t first, bool exact) const;
  static std::size_t behind_words(const Tokens& tokens, std::size_t first, const std::vector<Phrase>& phrases);
  std::size_t behind_title_phrases(const Tokens& tokens, std::size_t first) const;
  bool is_set_off(const Tokens& tokens, std::size_t next) const;
  std::optional<Found> command_at(const Tokens& tokens, std::size_t first, bool start, const Context& context) const;
  bool only_commands(const Tokens& tokens, std::size_t first, bool may_start, bool punctuated,
                     std::vector<Found>& found) const;
  void trailing_commands(const Tokens& tokens, std::size_t from, bool punctuated, std::vector<Found>& found) const;
  bool is_titled(const Tokens& tokens, std::size_t next) const;
  std::vector<Found> find(const Tokens& tokens, bool punctuated) const;
  std::optional<Range> nearest(const Tokens& tokens, const Phrase& phrase, double limit) const;
  bool ends_sentence(std::string_view text, const TextWord& before, const TextWord& after) const;
  std::size_t title_begin(std::string_view text) const;
  std::size_t end_of_sentence(std::string_view text, const std::vector<TextWord>& words, std::size_t first) const;

  NotePhrases spoken_;
  std::unordered_set<std::string> openers_;
  std::unordered_set<std::string> fillers_;
  std::unordered_set<std::string> articles_;
  std::unordered_set<std::string> guards_;
  std::unordered_set<std::string> continuations_;
  std::unordered_set<std::string> abbreviations_;
  std::unordered_set<std::string> vocabulary_;  // content words of commands: never a misrecognition of another
  std::vector<Phrase> phrases_;
  std::vector<Phrase> prefixes_;
  std::vector<Phrase> requests_;
  std::vector<Phrase> courtesies_;
  std::vector<Phrase> titles_;
};

/// The confidence of a phrase that a second decoding confirmed.
inline constexpr double kConfirmedPhrase = 1;

}  // namespace dictum::notes
