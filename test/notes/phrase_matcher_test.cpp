#include "notes/phrase_matcher.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "notes/sound.hpp"

namespace dictum::notes {
namespace {

const char* name_of(NoteCommand command) {
  switch (command) {
    case NoteCommand::start:
      return "<start>";
    case NoteCommand::end:
      return "<end>";
    case NoteCommand::cancel:
      return "<cancel>";
    case NoteCommand::scratch:
      return "<scratch>";
    case NoteCommand::stop:
      return "<stop>";
    case NoteCommand::complete:
      break;  // is called, and never said
  }
  return "?";
}

// What the matcher makes of a text: commands in angle brackets, content between them as it stands, what follows a start
// command as its title. "-" where there is no command.
std::string reading_of(const PhraseMatcher& matcher, const std::string& text) {
  std::string reading;
  std::size_t at = 0;
  const auto matches = matcher.match(text);
  if (matches.empty()) return "-";
  for (const auto& match : matches) {
    reading += text.substr(at, match.begin - at);
    reading += name_of(match.command);
    at = match.end;
  }
  return reading + matcher.title(text.substr(at));
}

struct Row {
  const char* text;
  const char* reading;
};

class English : public testing::TestWithParam<Row> {};

TEST_P(English, ReadsAsInTheTable) {
  static const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_EQ(reading_of(matcher, GetParam().text), GetParam().reading) << GetParam().text;
}

constexpr Row kAccepted[] = {
    {"start a new note", "<start>"},
    {"Start a new note.", "<start>"},
    {"START A NEW NOTE!", "<start>"},
    {"start new note", "<start>"},
    {"start the new note", "<start>"},
    {"star to new note", "<start>"},
    {"start a new no", "<start>"},
    {"start a new node", "<start>"},
    {"start a new notes", "<start>"},
    {"start annual note", "<start>"},
    {"start anew note", "<start>"},
    {"start and new note", "<start>"},
    {"started a new note", "<start>"},
    {"starting a new note", "<start>"},
    {"starting you note", "<start>"},
    {"start a knew note", "<start>"},
    {"start start a new note", "<start>"},
    {"start a brand new note", "<start>"},
    {"Start, uh, a new... um, note", "<start>"},
    {"Okay, so, start a new note please.", "<start>"},
    {"let\u2019s start a new note", "<start>"},
    {"let's start a new note", "<start>"},
    {"And then start a new note", "<start>"},
    {"No, wait, start a new note", "<start>"},
    {"Clerk, start a new note", "<start>"},
    {"clerk start a new note", "<start>"},
    {"Um, Clerk, um, start a new note.", "<start>"},
    {"Hey Dictum, start a new note", "<start>"},
    {"begin a new note", "<start>"},
    {"create a new note", "<start>"},
    {"new note", "<start>"},
    {"Make a note.", "<start>"},
    {"start a note", "<start>"},
    {"start a new note shopping list", "<start>shopping list"},
    {"Start a new note, Shopping List.", "<start>Shopping List"},
    {"Start a new note: Q3 \u2013 Plans for \u00c9tienne", "<start>Q3 \u2013 Plans for \u00c9tienne"},
    {"start a new note called What's Next?", "<start>What's Next?"},
    {"Start a new note. The title is: \"Groceries for Sunday\".", "<start>Groceries for Sunday"},
    {"start a new note um shopping list", "<start>shopping list"},
    {"start a new node shopping list", "<start>shopping list"},
    {"\u201cStart a new note\u201d \u2013 \u2018Plans\u2019", "<start>Plans"},
    {"Start a new note\u2026 plans for 2027", "<start>plans for 2027"},
    {"New note: Dentist", "<start>Dentist"},
    {"take a note. Call Ann", "<start>Call Ann"},
    {"start a new note note taking", "<start>note taking"},
    {"[NOISE] start a new note", "<start>"},
    {"end note", "<end>"},
    {"End note.", "<end>"},
    {"End... note!", "<end>"},
    {"Clerk, end note", "<end>"},
    {"Okay, end note, please.", "<end>"},
    {"end the note", "<end>"},
    {"end of note", "<end>"},
    {"and note", "<end>"},
    {"end node", "<end>"},
    {"end not", "<end>"},
    {"endnote", "<end>"},
    {"<sil> end note", "<end>"},
    {"finish the note", "<end>"},
    {"milk, eggs and bread. End note.", "milk, eggs and bread. <end>"},
    {"milk eggs and bread end note", "milk eggs and bread <end>"},
    {"milk eggs and bread, Clerk, end note", "milk eggs and bread, <end>"},
    {"milk eggs and bread um end note please", "milk eggs and bread um <end>"},
    {"scratch that", "<scratch>"},
    {"No, scratch that.", "<scratch>"},
    {"sorry scratch that", "<scratch>"},
    {"scratched that", "<scratch>"},
    {"bread scratch that", "bread <scratch>"},
    {"cancel note", "<cancel>"},
    {"Cancel the note, please.", "<cancel>"},
    {"That was all. Cancel the note.", "That was all. <cancel>"},
    {"stop recording", "<stop>"},
    {"Stop recording, please.", "<stop>"},
    {"please stop recording now", "<stop>"},
    {"stop the recording", "<stop>"},
    {"let's stop recording", "<stop>"},
    {"stop recorder", "<stop>"},
    {"That's it. Stop recording.", "That's it. <stop>"},
    {"thank you clerk stop recording", "thank you <stop>"},
    {"End note. Start a new note. Groceries.", "<end><start>Groceries"},
    {"End note. Stop recording.", "<end><stop>"},
    {"bread and butter end note stop recording", "bread and butter <end><stop>"},
    {"start a new note shopping list end note", "<start> shopping list <end>"},
    {"scratch that end note", "<scratch><end>"},
};
INSTANTIATE_TEST_SUITE_P(Accepted, English, testing::ValuesIn(kAccepted));

constexpr Row kRejected[] = {
    {"", "-"},
    {"...", "-"},
    {"um", "-"},
    {"Clerk", "-"},
    {"[BLANK_AUDIO]", "-"},
    {"let me take a break", "-"},
    {"let's take a break", "-"},
    {"take a break", "-"},
    {"the new note sounds wrong", "-"},
    {"new note sounds wrong", "-"},
    {"I started a new notebook", "-"},
    {"started a new notebook", "-"},
    {"start a new notebook", "-"},
    {"start a new notepad", "-"},
    {"start a new job", "-"},
    {"start a new life", "-"},
    {"start a new boat", "-"},
    {"start a new chapter", "-"},
    {"start a new", "-"},
    {"start a few notes", "-"},
    {"start with a new recording", "-"},
    {"startle the new goat", "-"},
    {"a new note start", "-"},
    {"note a new start", "-"},
    {"note new a start", "-"},
    {"note note start a new", "-"},
    {"new note new note", "-"},
    {"start", "-"},
    {"note", "-"},
    {"a new note", "-"},
    {"don't start a new note", "-"},
    {"please don\u2019t start a new note", "-"},
    {"when you start a new note the old one ends", "-"},
    {"how to start a new note", "-"},
    {"I start a new note every morning", "-"},
    {"to start a new note press the button", "-"},
    {"the start of a new note", "-"},
    {"we should start a new note", "-"},
    {"he said: start a new note", "-"},
    {"stop a new note", "-"},
    {"make a note of the number", "-"},
    {"take a note to the teacher", "-"},
    {"new notes are on the desk", "-"},
    {"starting you know it works", "-"},
    {"send note", "-"},
    {"send the note", "-"},
    {"bend the note", "-"},
    {"note the end", "-"},
    {"the end note", "-"},
    {"this is the end note", "-"},
    {"in the end, note the time", "-"},
    {"at the end note the time", "-"},
    {"end note taking early", "-"},
    {"End note that the meeting is at five", "-"},
    {"the end", "-"},
    {"scratch that itch", "-"},
    {"I want to scratch that", "-"},
    {"don't scratch that", "-"},
    {"match that", "-"},
    {"that scratch", "-"},
    {"I will cancel the note", "-"},
    {"cancel the meeting", "-"},
    {"never cancel the note", "-"},
    {"we should stop recording", "-"},
    {"he told me to stop recording", "-"},
    {"stopped recording", "-"},
    {"stop recording was what he said", "-"},
    {"recording stop", "-"},
    {"stop", "-"},
    {"stop according", "-"},
    {"don't stop recording", "-"},
    {"And so, my fellow Americans, ask not what your country can do for you", "-"},
};
INSTANTIATE_TEST_SUITE_P(Rejected, English, testing::ValuesIn(kRejected));

// Texts of the default recogniser (whole utterance, wide beams) for commands spoken by flite's voices awb, rms and slt,
// by espeak-ng, and by the voice of voice_note.wav. What was said stands behind each.
constexpr Row kHeard[] = {
    {"start a new note", "<start>"},                             // start a new note
    {"start a new node", "<start>"},                             // start a new note
    {"clerk starting you know it", "<start>"},                   // Clerk, start a new note
    {"clerk start a new note", "<start>"},                       // Clerk, start a new note
    {"cleric start a new node", "<start>"},                      // Clerk, start a new note
    {"please start a new note", "<start>"},                      // please start a new note
    {"and start anew know it", "<start>"},                       // um, start a new note
    {"okay start a new note", "<start>"},                        // okay, start a new note
    {"start a new note shopping list", "<start>shopping list"},  // the same
    {"clerk start a new node ideas for the garden", "<start>ideas for the garden"},
    {"cleric start a new node ideas for the garden", "<start>ideas for the garden"},
    {"make a note", "<start>"},                                             // the same
    {"and note", "<end>"},                                                  // end note
    {"clark and note", "<end>"},                                            // Clerk, end note
    {"cleric and node", "<end>"},                                           // Clerk, end note
    {"milk and eggs and bread and note", "milk and eggs and bread <end>"},  // milk and eggs and bread, end note
    {"scratch that", "<scratch>"},                                          // the same
    {"no scratch that", "<scratch>"},                                       // no, scratch that
    {"nope scratch that", "<scratch>"},                                     // no, scratch that
    {"cancel note", "<cancel>"},                                            // the same
    {"cancel know it", "<cancel>"},                                         // cancel note
    {"stop recording", "<stop>"},                                           // the same
    {"stop reporting", "<stop>"},                                           // stop recording
    {"clerk stop recording", "<stop>"},                                     // Clerk, stop recording
    {"cleric stop reporting", "<stop>"},                                    // Clerk, stop recording
    {"start a new job shopping list", "-"},         // start a new note, shopping list: too far off
    {"two don't", "-"},                             // start a new note: too far off
    {"color to stop recording", "-"},               // Clerk, stop recording: too far off
    {"council know what", "-"},                     // cancel note: too far off
    {"lurk this is the title", "-"},                // Clerk, this is the title
    {"lurk this is the body first sentence", "-"},  // Clerk, this is the body, first sentence
    {"let me take a break", "-"},                   // the same
    {"we take a break", "-"},                       // let me take a break
    {"then you know it sounds wrong", "-"},         // the new note sounds wrong
    {"the new okay so you are the", "-"},           // the new note sounds wrong
    {"and you sound raleigh", "-"},                 // the new note sounds wrong
    {"i started a new notebook", "-"},              // I started a new notebook
    {"i still didn't you know will", "-"},          // I started a new notebook
    {"we should start a new project", "-"},         // the same
    {"we should start a new product", "-"},         // we should start a new project
    {"the end of the road", "-"},                   // the same
    {"you got the row", "-"},                       // the end of the road
    {"i'm starting to melt", "-"},                  // um, start a new note: too far off
    {"you know", "-"},                              // end note: too far off
    {"i don't know", "-"},                          // cancel note: too far off
};
INSTANTIATE_TEST_SUITE_P(Heard, English, testing::ValuesIn(kHeard));

TEST(PhraseMatcher, TellsWhereTheCommandEndsInTheText) {
  const std::string text = "Clerk, START a new note: Milk & Honey";
  const auto matches = PhraseMatcher(NotePhrases::english()).match(text);
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_EQ(text.substr(matches[0].end), ": Milk & Honey");
}

TEST(PhraseMatcher, TakesPhrasesOfAnotherLanguage) {
  NotePhrases phrases;
  phrases.start = {"Neue Notiz anfangen"};
  phrases.end = {"Notiz Ende", "\u041a\u043e\u043d\u0435\u0446 \u0437\u0430\u043c\u0435\u0442\u043a\u0438"};
  phrases.fillers = {"\u00e4hm"};
  const PhraseMatcher matcher(phrases);
  EXPECT_EQ(reading_of(matcher, "\u00c4hm, neue Notiz anfangen: \u00dcbung"), "<start>\u00dcbung");
  EXPECT_EQ(reading_of(matcher, "\u043a\u043e\u043d\u0435\u0446, \u0437\u0430\u043c\u0435\u0442\u043a\u0438."),
            "<end>");
  EXPECT_EQ(reading_of(matcher, "end note"), "-");
}

TEST(PhraseMatcher, KeepsAFillerThatBelongsToAPhrase) {
  auto phrases = NotePhrases::english();
  phrases.prefixes = {"okay computer"};
  const PhraseMatcher matcher(phrases);
  EXPECT_EQ(reading_of(matcher, "Okay computer, start a new note"), "<start>");
}

TEST(PhraseMatcher, WithoutPhrasesHearsNothing) {
  const PhraseMatcher matcher(NotePhrases{});
  EXPECT_EQ(reading_of(matcher, "start a new note"), "-");
  EXPECT_EQ(matcher.title("Groceries."), "Groceries");
}

TEST(PhraseMatcher, PutsATitleOnOneLine) {
  const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_EQ(matcher.title(" um,  shopping\n\tlist .\x01"), "shopping list");
}

TEST(PhraseMatcher, LeavesNoTitleWhereOnlyFillersWereSaid) {
  EXPECT_EQ(PhraseMatcher(NotePhrases::english()).title("um, okay..."), "");
}

TEST(PhraseMatcher, KnowsTheCommandOfASpottedPhrase) {
  const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_EQ(matcher.command_of("START A NEW NOTE"), NoteCommand::start);
  EXPECT_EQ(matcher.command_of("stop recording"), NoteCommand::stop);
  EXPECT_EQ(matcher.command_of("something else"), std::nullopt);
  EXPECT_EQ(matcher.command_of(""), std::nullopt);
}

TEST(PhraseMatcher, ListsItsCommandsForRecognisers) {
  const PhraseMatcher matcher(NotePhrases::english());
  for (const auto& phrase : matcher.commands()) EXPECT_TRUE(matcher.command_of(phrase)) << phrase;
}

TEST(PhraseMatcher, FindsTheLikelyEndOfAPhraseThatTheTextGotWrong) {
  const PhraseMatcher matcher(NotePhrases::english());
  const std::string text = "dark a new row shopping list";
  EXPECT_EQ(text.substr(matcher.likely_end(text, "start a new note")), " shopping list");
}

// Matches are in order, apart and inside the text, whatever the text is.
void expect_sound(const PhraseMatcher& matcher, const std::string& text) {
  std::size_t at = 0;
  for (const auto& match : matcher.match(text)) {
    ASSERT_GE(match.begin, at);
    ASSERT_GE(match.end, match.begin);
    ASSERT_LE(match.end, text.size());
    at = match.end;
  }
  EXPECT_TRUE(utf8::is_valid(matcher.title(text)));
}

TEST(PhraseMatcher, SurvivesAnyBytes) {
  const PhraseMatcher matcher(NotePhrases::english());
  const std::vector<std::string> pieces = {
      "start", "a",    "new",      "note", "end", "scratch", "that", "stop",   "recording", "clerk", "um", "cancel",
      "the",   "\xff", "\xe2\x80", ".",    ",",   "[",       "<",    "\u2019", "\u00e9",    "\n",    "",   "know"};
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left)
      text += pieces[random() % pieces.size()] + (random() % 4 ? " " : "");
    expect_sound(matcher, text);
  }
}

TEST(PhraseMatcher, IsQuickOnALongRunOfCommands) {
  const PhraseMatcher matcher(NotePhrases::english());
  std::string text;
  while (text.size() < 300'000) text += "end note scratch that [";
  expect_sound(matcher, text);
  expect_sound(matcher, std::string(300'000, 'a'));
  expect_sound(matcher, std::string(300'000, '['));
}

TEST(Sound, IsNearWhereWordsAreConfused) {
  const auto distance = [](const char* a, const char* b) { return sound_distance(sound_of(a), sound_of(b)); };
  EXPECT_EQ(distance("knew", "new"), 0);
  EXPECT_LT(distance("end", "and"), 0.15);
  EXPECT_LT(distance("node", "note"), distance("no", "note"));
  EXPECT_LT(distance("no", "note"), distance("notebook", "note"));
  EXPECT_LT(distance("notebook", "note"), distance("job", "note"));
  EXPECT_EQ(distance("", ""), 0);
}

}  // namespace
}  // namespace dictum::notes
