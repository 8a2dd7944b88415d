#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dictum::notes {

/// What people say to steer notes. Every list may hold several wordings, in any language that `split_words` can divide.
struct NotePhrases {
  std::vector<std::string> start;
  std::vector<std::string> title;  ///< introduces a title ("called", "the title is"); no command of its own
  std::vector<std::string> end;
  std::vector<std::string> cancel;
  std::vector<std::string> scratch;
  std::vector<std::string> stop;
  std::vector<std::string> prefixes;    ///< may be said before a command: "Clerk, start a new note"
  std::vector<std::string> requests;    ///< may stand before a command, word for word: "could you", "I want to"
  std::vector<std::string> courtesies;  ///< may stand behind a command, word for word: "thank you", "for me"
  std::vector<std::string> openers;     ///< single words that may begin a segment before a command: "no, scratch that"
  std::vector<std::string> fillers;     ///< single words that mean nothing before, within or after a command
  std::vector<std::string> articles;    ///< single words that a recogniser drops, adds and confuses freely
  std::vector<std::string> guards;      ///< single words that make what follows no command: "about the end note"
  std::vector<std::string> continuations;  ///< single words that make what precedes no start: "a new note every day"
  std::vector<std::string> abbreviations;  ///< single words whose full stop ends no sentence: "Dr."

  static NotePhrases english();
};

/// Whether a command or a prefix may be called that: there is a word in it that is no English article.
bool is_phrase(std::string_view text);

}  // namespace dictum::notes
