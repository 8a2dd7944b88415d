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
  return reading + matcher.title(text.substr(at)).text;
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
    {"A new note.", "<start>"},
    {"Another note.", "<start>"},
    {"Another note: buy milk.", "<start>buy milk"},
    {"Could you start a new note?", "<start>"},
    {"Could you please start a new note?", "<start>"},
    {"Can you take a note for me?", "<start>"},
    {"I want to start a new note.", "<start>"},
    {"I'd like to make a new note called garden.", "<start>garden"},
    {"Let us start a new note.", "<start>"},
    {"Hey Clerk, could you start a new note?", "<start>"},
    {"Start a new note, thank you.", "<start>"},
    {"Make a note called groceries.", "<start>groceries"},
    {"Begin a new note and call it budget.", "<start>budget"},
    {"Start on your note.", "<start>"},
    {"starting you note", "<start>"},
    {"And node start a new node, candles.", "<end><start>candles"},
    {"That is the end of the note.", "<end>"},
    {"This is the end of the note.", "<end>"},
    {"That's the end of the note.", "<end>"},
    {"Bread. That is the end of the note, thank you.", "Bread. <end>"},
    {"End note, thank you.", "<end>"},
    {"And node.", "<end>"},
    {"Council note.", "<cancel>"},
    {"Could you stop recording?", "<stop>"},
    {"Make a note.", "<start>"},
    {"start a note", "<start>"},
    {"start a new note shopping list", "<start>shopping list"},
    {"Start a new note, Shopping List.", "<start>Shopping List"},
    {"Start a new note: Q3 \u2013 Plans for \u00c9tienne", "<start>Q3 \u2013 Plans for \u00c9tienne"},
    {"start a new note called What's Next?", "<start>What's Next?"},
    {"Start a new note. The title is: \"Groceries for Sunday\".", "<start>Groceries for Sunday"},
    {"start a new note um shopping list", "<start>shopping list"},
    {"Start a new node. Shopping list.", "<start>Shopping list"},
    {"start a new node called shopping list", "<start>shopping list"},
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
    {"a note", "-"},
    {"the new note", "-"},
    {"start a new node project", "-"},
    {"Start a new node project.", "-"},
    {"The new note sounds wrong on the piano.", "-"},
    {"I will take a note of that.", "-"},
    {"don't start a new note", "-"},
    {"I want to start a new note every day.", "-"},
    {"Could you start a new note taking app?", "-"},
    {"Starting a new note on the flute is hard.", "-"},
    {"Create a new note every evening.", "-"},
    {"Take a new note and send it to Ann.", "-"},
    {"Another note was on the door.", "-"},
    {"A new note on the door", "-"},
    {"Please take note of the exits.", "-"},
    {"Check and note.", "-"},
    {"Second note.", "-"},
    {"We should not end note taking.", "-"},
    {"Do not cancel the note at the bank.", "-"},
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
constexpr Row kRecognised[] = {
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
INSTANTIATE_TEST_SUITE_P(Recognised, English, testing::ValuesIn(kRecognised));

TEST(PhraseMatcher, ReportsWhereTheCommandEndsInTheText) {
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

struct Writing {
  const char* name;
  const char* start;    ///< the phrase
  const char* text;     ///< the phrase and a title in one breath
  const char* reading;  ///< as in `Row`
};

class StartPhrase : public testing::TestWithParam<Writing> {};

TEST_P(StartPhrase, IsFoundBeforeATitleInWritingsWithAndWithoutSpaces) {
  NotePhrases phrases;
  phrases.start = {GetParam().start};
  EXPECT_EQ(reading_of(PhraseMatcher(phrases), GetParam().text), GetParam().reading);
}

INSTANTIATE_TEST_SUITE_P(
    Writings, StartPhrase,
    testing::Values(Writing{"Chinese", "开始新笔记", "开始新笔记购物清单", "<start>购物清单"},
                    Writing{"Japanese", "新しいメモを始める", "新しいメモを始める買い物リスト", "<start>買い物リスト"},
                    Writing{"Thai", "เริ่มบันทึกใหม่", "เริ่มบันทึกใหม่รายการซื้อของ", "<start>รายการซื้อของ"},
                    Writing{"Korean", "새 메모를 시작해 줘", "새 메모를 시작해 줘 장보기", "<start>장보기"},
                    Writing{"Hindi", "नया नोट शुरू करो", "नया नोट शुरू करो दूध और शहद", "<start>दूध और शहद"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(PhraseMatcher, TakesTextThatIsComposedInAnotherWay) {
  NotePhrases phrases;
  phrases.start = {"ne\u0301 note", "\u00fcbung"};
  EXPECT_EQ(reading_of(PhraseMatcher(phrases), "N\u00e9 note"), "<start>");
  EXPECT_EQ(reading_of(PhraseMatcher(phrases), "U\u0308bung"), "<start>");
}

TEST(PhraseMatcher, KeepsAFillerThatBelongsToAPhrase) {
  auto phrases = NotePhrases::english();
  phrases.prefixes = {"okay computer"};
  const PhraseMatcher matcher(phrases);
  EXPECT_EQ(reading_of(matcher, "Okay computer, start a new note"), "<start>");
}

TEST(PhraseMatcher, WithoutPhrasesFindsNothing) {
  const PhraseMatcher matcher(NotePhrases{});
  EXPECT_EQ(reading_of(matcher, "start a new note"), "-");
  EXPECT_EQ(matcher.title("Groceries.").text, "Groceries");
}

TEST(PhraseMatcher, PutsATitleOnOneLine) {
  const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_EQ(matcher.title(" um,  shopping\n\tlist .\x01").text, "shopping list");
}

TEST(PhraseMatcher, LeavesNoTitleWhereOnlyFillersWereSaid) {
  EXPECT_EQ(PhraseMatcher(NotePhrases::english()).title("um, okay...").text, "");
}

struct TitleRow {
  const char* text;
  const char* title;
  const char* body;
};

// Behind a start command in its segment.
constexpr TitleRow kTitles[] = {
    {" called shopping list. I need milk and bread.", "shopping list", " I need milk and bread."},
    {". Shopping list! Milk.", "Shopping list", " Milk."},
    {" named dinner party.", "dinner party", ""},
    {" and call it budget.", "budget", ""},
    {". The title is: \u201cGroceries for Sunday\u201d. Buy 12 eggs.", "Groceries for Sunday", " Buy 12 eggs."},
    {". The titles garden plans.", "garden plans", ""},
    {". Title. Weekly report. It went well.", "Weekly report", " It went well."},
    {" called What to buy? Milk and eggs.", "What to buy?", " Milk and eggs."},
    {" called Dr. Smith's results. All fine.", "Dr. Smith's results", " All fine."},
    {". Letter to Mr. Jones. Thank him.", "Letter to Mr. Jones", " Thank him."},
    {" called J. R. R. Tolkien. Read it.", "J. R. R. Tolkien", " Read it."},
    {" called Meeting at 9 a.m. in the office. Be early.", "Meeting at 9 a.m. in the office", " Be early."},
    {" called version 2.5. It ships on Friday.", "version 2.5", " It ships on Friday."},
    {": Budget of $50. Pay cash.", "Budget of $50", " Pay cash."},
    {": C++.", "C++", ""},
    {": Plans (draft). More.", "Plans (draft)", " More."},
    {", shopping list, buy some bread and a bottle of milk", "shopping list", " buy some bread and a bottle of milk"},
    {", Ann, Bob and Carl", "Ann, Bob and Carl", ""},
    {". \u4f1a\u8bae\u3002\u660e\u5929\u89c1", "\u4f1a\u8bae", "\u660e\u5929\u89c1"},
    {" called", "", ""},
    {". [BLANK_AUDIO]", "", ""},
    {". (upbeat music)", "", ""},
    {". \u266a la la \u266a", "", ""},
    {". *coughs* Groceries.", "Groceries", ""},
};

TEST(PhraseMatcher, SeparatesTitleAndBodyInOneBreath) {
  const PhraseMatcher matcher(NotePhrases::english());
  for (const auto& row : kTitles) {
    const Title title = matcher.title_in_one_breath(row.text);
    EXPECT_EQ(title.text, row.title) << row.text;
    EXPECT_EQ(std::string(row.text).substr(title.end), row.body) << row.text;
  }
}

TEST(PhraseMatcher, EndsATitleInOneBreathAtAPauseWhereNoPunctuationDoes) {
  const PhraseMatcher matcher(NotePhrases::english());
  const std::string text = " called shopping list by some bread";
  const std::size_t body = text.find("by some");
  const Title title = matcher.title_in_one_breath(text, {text.find("called"), text.find("shopping"), body});
  EXPECT_EQ(title.text, "shopping list");
  EXPECT_EQ(text.substr(title.end), " by some bread");
}

TEST(PhraseMatcher, EndsALongTitleInOneBreathAtItsCommaWhateverPausesAreInIt) {
  const std::string text = " called weekend trip, we leave on Saturday morning and take the train";
  const auto title = PhraseMatcher(NotePhrases::english()).title_in_one_breath(text, {text.find("leave")});
  EXPECT_EQ(title.text, "weekend trip");
}

TEST(PhraseMatcher, EndsATitleInOneBreathAtItsSentenceWhateverPausesAreInIt) {
  const std::string text = " Ideas for the garden. Plant roses.";
  const auto title = PhraseMatcher(NotePhrases::english()).title_in_one_breath(text, {text.find("garden")});
  EXPECT_EQ(title.text, "Ideas for the garden");
}

TEST(PhraseMatcher, KeepsTheCommasOfALongTitleInItsOwnSegment) {
  const char* text = "Things to ask Ann, Bob, Carl and Dora about the trip to the coast";
  EXPECT_EQ(PhraseMatcher(NotePhrases::english()).title(text).text, text);
}

TEST(PhraseMatcher, KnowsWhatOnlyIntroducesATitle) {
  const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_TRUE(matcher.only_introduces_title("The title is"));
  EXPECT_TRUE(matcher.only_introduces_title("And call it..."));
  EXPECT_FALSE(matcher.only_introduces_title("The title is groceries"));
  EXPECT_FALSE(matcher.only_introduces_title("um"));
  EXPECT_FALSE(matcher.only_introduces_title(""));
}

// What a second decoding with the phrases as a prompt is worth, and what it has to yield.
TEST(PhraseMatcher, NamesTheCommandThatATextSoundsLike) {
  const PhraseMatcher matcher(NotePhrases::english());
  const auto near = [&](const char* text) {
    const auto match = matcher.near(text);
    return match ? match->phrase : "-";
  };
  EXPECT_EQ(near("End out."), "end note");
  EXPECT_EQ(near("This part of the note."), "discard the note");
  EXPECT_EQ(near("Scratch not."), "scratch that");
  EXPECT_EQ(near("We need milk. End out."), "end note");
  EXPECT_EQ(near("Start a new boat called Groceries."), "start a new note");
  EXPECT_EQ(near("End note."), "-") << "matches already";
  EXPECT_EQ(near("Start a new note. Groceries."), "-");
  EXPECT_EQ(near("Please create a new name's dinner party."), "create a new note");
  EXPECT_EQ(near("Victor, start a new node."), "start a new note");
  EXPECT_EQ(near("You note the time."), "-") << "short, and the sentence goes on";
  EXPECT_EQ(near("Milk and eggs and bread."), "-");
  EXPECT_EQ(near("Music."), "-");
  EXPECT_EQ(near("[BLANK_AUDIO]"), "-");
  EXPECT_EQ(near(""), "-");
}

TEST(PhraseMatcher, IsConfirmedByASecondTextThatHasTheSameCommandWordForWord) {
  const PhraseMatcher matcher(NotePhrases::english());
  const auto confirmed = [&](const char* first, const char* second) {
    const auto match = matcher.confirmed(first, second);
    return match ? match->phrase : "-";
  };
  EXPECT_EQ(confirmed("End out.", "End note."), "end note");
  EXPECT_EQ(confirmed("This part of the note.", "Discard the note."), "discard the note");
  EXPECT_EQ(confirmed("Start a new boat called Groceries.", "Start a new note called Groceries."), "start a new note");
  EXPECT_EQ(confirmed("Please create a new name's dinner party.", "Please create a new note named dinner party."),
            "create a new note");
  EXPECT_EQ(confirmed("Start a new node project in the editor.", "Start a new note project in the editor."), "-")
      << "the sentence goes on";
  EXPECT_EQ(confirmed("Start a new node project in the editor.", "Start a new note. Project in the editor."), "-")
      << "the full stop is the prompt's";
  EXPECT_EQ(confirmed("Victor, start a new node.", "Dictum, start a new note."), "start a new note");
  EXPECT_EQ(confirmed("Victor, start a new node.", "Start a new note."), "start a new note");
  EXPECT_EQ(confirmed("Victor, start a new node.", "Victor, start a new node."), "-");
  EXPECT_EQ(confirmed("End out.", "End node."), "-") << "not word for word";
  EXPECT_EQ(confirmed("End out.", "Stop recording."), "-") << "sounds like another command";
  EXPECT_EQ(confirmed("the new note.", "End the note."), "-") << "sounds more like a start than like \"finish note\"";
  EXPECT_EQ(confirmed("Thank you.", "Start a new note."), "-") << "the prompt speaks, not the person";
  EXPECT_EQ(confirmed("I started a new notebook.", "I start a new note."), "-") << "not at the beginning";
  EXPECT_EQ(confirmed("", "End note."), "-");
  EXPECT_EQ(confirmed("End out.", ""), "-");
}

TEST(PhraseMatcher, LocatesASpottedPhraseOnlyWhereTheTextSoundsLikeIt) {
  const PhraseMatcher matcher(NotePhrases::english());
  EXPECT_TRUE(matcher.locate("end out", "end note"));
  EXPECT_TRUE(matcher.locate("We need milk. End out.", "end note"));
  EXPECT_FALSE(matcher.locate("the weather is fine today", "start a new note"));
  EXPECT_FALSE(matcher.locate("how do you dark a new row", "start a new note"));
  EXPECT_FALSE(matcher.locate("", "end note"));
  EXPECT_FALSE(matcher.locate("end note", "no command of ours"));
}

TEST(Words, AreDividedAtSpacesAndPunctuationButNotWithinNumbers) {
  std::string words;
  for (const auto& word : split_words("Version 2.5, it\u2019s [NOISE] done. E.g. this!")) {
    words += (word.sentence_before ? "." : word.pause_before ? "," : " ") + word.word;
  }
  EXPECT_EQ(words, " version 2 5,its done.e g.this");
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

TEST(PhraseMatcher, LocatesASpottedPhraseThatTheTextHasWrong) {
  const PhraseMatcher matcher(NotePhrases::english());
  const std::string text = "dark a new row shopping list";
  const auto located = matcher.locate(text, "start a new note");
  ASSERT_TRUE(located);
  EXPECT_EQ(text.substr(located->end), " shopping list");
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
  EXPECT_TRUE(utf8::is_valid(matcher.title(text).text));
  EXPECT_LE(matcher.title_in_one_breath(text).end, text.size());
  EXPECT_LE(matcher.title_in_one_breath(text, {0, text.size() / 2, text.size(), text.size() + 1}).end, text.size());
  if (const auto near = matcher.near(text)) EXPECT_TRUE(matcher.command_of(near->phrase));
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
