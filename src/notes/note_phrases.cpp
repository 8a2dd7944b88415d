#include "notes/phrase_matcher.hpp"

namespace dictum::notes {

NotePhrases NotePhrases::english() {
  NotePhrases phrases;
  phrases.start = {"start a new note", "begin a new note", "create a new note", "open a new note", "take a new note",
                   "make a new note",  "start a note",     "take a note",       "make a note",     "new note"};
  phrases.title = {"the title is", "title", "titled", "called", "with the title"};
  phrases.end = {"end note",        "end the note", "end of note",    "finish note",
                 "finish the note", "close note",   "close the note", "note finished"};
  phrases.cancel = {"cancel note", "cancel the note", "discard note", "discard the note", "forget the note"};
  phrases.scratch = {"scratch that", "strike that", "delete that"};
  phrases.stop = {"stop recording", "stop the recording", "end recording", "end the recording"};
  phrases.prefixes = {"clerk", "dictum", "hey clerk", "hey dictum"};
  phrases.openers = {"no", "nope", "wait", "sorry", "actually", "and", "then", "but"};
  phrases.fillers = {"um", "uh", "uhm",  "erm", "er", "ah",  "hm",  "hmm",    "mm",
                     "eh", "oh", "okay", "ok",  "so", "now", "hey", "please", "let's"};
  phrases.articles = {"a", "an", "the", "and", "of", "to", "in"};
  phrases.guards = {"a", "an", "the", "this", "my", "your", "of", "to", "not", "don't", "never"};
  return phrases;
}

}  // namespace dictum::notes
