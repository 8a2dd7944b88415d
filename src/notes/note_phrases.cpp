#include "notes/note_phrases.hpp"

#include <utility>

#include "notes/phrase_matcher.hpp"

namespace dictum::notes {

NotePhrases NotePhrases::english() {
  NotePhrases phrases;
  phrases.start = {"start a new note", "begin a new note", "create a new note", "open a new note",   "take a new note",
                   "make a new note",  "start a note",     "take a note",       "make a note",       "new note",
                   "a new note",       "another note",     "another new note",  "start another note"};
  phrases.title = {"the title is", "title is",       "title",         "titled",      "entitled",        "called",
                   "call it",      "and call it",    "and call",      "named",       "name it",         "and name it",
                   "the name is",  "with the title", "with the name", "it's called", "and the title is"};
  phrases.end = {"end note",
                 "end the note",
                 "end this note",
                 "end of note",
                 "end of the note",
                 "that is the end of the note",
                 "that's the end of the note",
                 "this is the end of the note",
                 "finish note",
                 "finish the note",
                 "close note",
                 "close the note",
                 "note finished"};
  phrases.cancel = {"cancel note", "cancel the note", "discard note", "discard the note", "forget the note"};
  phrases.scratch = {"scratch that", "strike that", "delete that"};
  phrases.stop = {"stop recording", "stop the recording", "end recording", "end the recording"};
  phrases.prefixes = {"clerk", "dictum", "hey clerk", "hey dictum"};
  phrases.requests = {"could you",     "can you",         "would you",   "will you",   "i want to",
                      "i want you to", "i would like to", "i'd like to", "i need to",  "i wanna",
                      "i wanted to",   "let us",          "let me",      "we need to", "go ahead and"};
  phrases.courtesies = {"thank you", "thanks", "thank you very much", "for me", "for us", "that's all", "that is all"};
  phrases.openers = {"no", "nope", "wait", "sorry", "actually", "and", "then", "but", "yes", "alright", "well"};
  phrases.fillers = {"um", "uh", "uhm",  "erm", "er", "ah",  "hm",  "hmm",    "mm",
                     "eh", "oh", "okay", "ok",  "so", "now", "hey", "please", "let's"};
  phrases.articles = {"a", "an", "the", "and", "of", "to", "in"};
  phrases.guards = {"a", "an", "the", "this", "my", "your", "of", "to", "not", "don't", "never"};
  phrases.continuations = {"of",  "that", "which", "is", "was",  "are",     "were",     "has",   "had",
                           "and", "or",   "but",   "if", "when", "because", "whenever", "every", "each"};
  phrases.abbreviations = {"dr",  "mr",   "mrs", "ms", "prof", "st",  "mt", "gen",
                           "col", "capt", "sgt", "lt", "rev",  "hon", "vs"};
  return phrases;
}

bool is_phrase(std::string_view text) {
  NotePhrases phrases;
  phrases.articles = NotePhrases::english().articles;
  phrases.end = {std::string(text)};
  return PhraseMatcher(std::move(phrases)).command_of(text).has_value();
}

}  // namespace dictum::notes
