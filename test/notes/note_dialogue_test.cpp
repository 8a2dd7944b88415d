#include "notes/note_dialogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace dictum::notes {

// For messages of failed expectations.
std::ostream& operator<<(std::ostream& out, const Output& output) {
  struct Printer {
    std::ostream& out;
    void operator()(const CommandDetected& detected) const {
      out << "command " << static_cast<int>(detected.command) << " in " << detected.segment;
    }
    void operator()(const TitleCaptured& captured) const {
      out << "title \"" << captured.title << "\" in " << captured.segment;
    }
    void operator()(const NoteEnded& ended) const {
      out << (ended.cancelled ? "cancelled \"" : "note \"") << ended.title << "\": \"" << ended.text << "\" [";
      for (const auto segment : ended.segments) out << segment << ' ';
      out << "] " << ended.start_frame << " to " << ended.end_frame;
    }
    void operator()(const StopRequested& stop) const { out << "stop in " << stop.segment; }
  };
  std::visit(Printer{out}, output);
  return out;
}

namespace {

using testing::ElementsAre;

constexpr int kRate = 1000;  // frames are milliseconds

// One segment as it was spoken, and what became of its text.
struct Said {
  double start{};  // seconds
  double end{};
  std::string text;
  bool success = true;
  bool kept = true;
  std::vector<DetectedPhrase> phrases = {};
  bool suspect = false;
  std::vector<Word> words = {};
};

struct Script {
  std::vector<Said> said;
  double stop{};
  std::optional<double> complete = std::nullopt;
};

Frame frame(double seconds) {
  return static_cast<Frame>(seconds * kRate + 0.5);
}

DialogueSettings settings() {
  DialogueSettings settings;
  settings.sample_rate = kRate;
  return settings;
}

// Plays a script against the audio clock. `latency` is how long after the end of its segment a text arrives; texts that
// come after the stop come after it here, too. Openings and closings are reported half a second late, as a detector
// does.
std::vector<Output> play(const Script& script, const std::function<double(std::size_t)>& latency) {
  constexpr double kDetection = 0.5;
  enum Kind { open, close, text, complete, stop };
  struct Call {
    double at;
    Kind kind;
    std::size_t index;
  };
  std::vector<Call> calls;
  for (std::size_t i = 0; i < script.said.size(); ++i) {
    const auto& said = script.said[i];
    calls.push_back({std::min(said.start + kDetection, script.stop), open, i});
    calls.push_back({std::min(said.end + kDetection, script.stop), close, i});
    if (said.kept) calls.push_back({std::min(said.end + kDetection, script.stop) + latency(i), text, i});
  }
  calls.push_back({script.stop, stop, std::numeric_limits<std::size_t>::max()});
  if (script.complete) calls.push_back({*script.complete, complete, std::numeric_limits<std::size_t>::max()});
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    if (a.at != b.at) return a.at < b.at;
    // At one moment: in the order of the timeline, texts last.
    const auto rank = [](const Call& call) { return call.kind == text ? 2 : call.kind == stop ? 1 : 0; };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return std::pair(a.index, a.kind) < std::pair(b.index, b.kind);
  });

  NoteDialogue dialogue(settings());
  std::vector<Output> out;
  double clock = 0;
  for (const auto& call : calls) {
    for (; clock < std::min(call.at, script.stop); clock += 0.5) dialogue.audio_time(frame(clock), out);
    const auto index = static_cast<std::uint32_t>(call.index);
    switch (call.kind) {
      case open:
        dialogue.segment_opened(index, frame(script.said[call.index].start));
        break;
      case close:
        dialogue.segment_closed(index, frame(script.said[call.index].end), script.said[call.index].kept);
        break;
      case text: {
        const auto& said = script.said[call.index];
        dialogue.text_arrived(index, {said.success, said.text, said.phrases, said.suspect, said.words}, out);
        break;
      }
      case complete:
        dialogue.complete(frame(call.at), out);
        break;
      case stop:
        dialogue.recording_stopped(frame(call.at), out);
        break;
    }
  }
  EXPECT_FALSE(dialogue.note_open()) << "a note that never ended";
  return out;
}

std::vector<Output> play(const Script& script, double latency = 0) {
  return play(script, [=](std::size_t) { return latency; });
}

std::vector<Output> play_reversed(const Script& script) {
  return play(script, [&](std::size_t i) {
    // Every text after the stop, the last segment's first.
    const double end = std::min(script.said[i].end + 0.5, script.stop);
    return script.stop - end + 1 + static_cast<double>(script.said.size() - i);
  });
}

// Command, title, a body of three sentences with pauses of 1 to 3 s, 6 s of silence, more speech.
Script one_note() {
  return {{{1, 2.2, "Start a new note."},
           {3.5, 4.7, "Shopping list."},
           {6, 8, "We need milk."},
           {9, 11.5, "And eggs."},
           {14.5, 16, "And bread."},
           {22, 24, "This is about something else."}},
          40};
}

NoteEnded one_note_ended() {
  return {false, "Shopping list", "We need milk. And eggs. And bread.", {2, 3, 4}, frame(1), frame(16)};
}

std::vector<Output> one_note_outputs() {
  return {CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "Shopping list"}, one_note_ended()};
}

TEST(NoteDialogue, TakesTheWholeBodyAndNothingOfTheSpeechBehindIt) {
  EXPECT_EQ(play(one_note()), one_note_outputs());
}

TEST(NoteDialogue, MakesTheSameNoteHoweverSlowTheTextsAre) {
  EXPECT_EQ(play(one_note(), 2.5), one_note_outputs());
  EXPECT_EQ(play(one_note(), 10), one_note_outputs());
  EXPECT_EQ(play(one_note(), 100), one_note_outputs());
}

TEST(NoteDialogue, MakesTheSameNoteFromTextsInReverseOrder) {
  EXPECT_EQ(play_reversed(one_note()), one_note_outputs());
}

TEST(NoteDialogue, MakesTheSameNoteWhereTheTitleIsRetried) {
  // The first attempt fails within the pool; what the dialogue sees is a late text.
  EXPECT_EQ(play(one_note(), [](std::size_t i) { return i == 1 ? 30.0 : 0.0; }), one_note_outputs());
}

TEST(NoteDialogue, NeverMakesTheBodyTheTitle) {
  auto script = one_note();
  script.said[1].success = false;
  auto ended = one_note_ended();
  ended.title = "Untitled";
  EXPECT_THAT(play(script, 2.5), ElementsAre(CommandDetected{0, NoteCommand::start}, ended));
}

TEST(NoteDialogue, LeavesANoteUntitledWhereNoWordOfTheTitleWasRecognised) {
  auto script = one_note();
  script.said[1].text = "um";
  auto ended = one_note_ended();
  ended.title = "Untitled";
  EXPECT_THAT(play(script), ElementsAre(CommandDetected{0, NoteCommand::start}, ended));
}

TEST(NoteDialogue, MakesTwoNotesInOneSession) {
  auto script = one_note();
  script.said.push_back({26, 27, "Clerk, start a new note, Garden."});
  script.said.push_back({28, 29, "Water the roses."});
  const NoteEnded second{false, "Garden", "Water the roses.", {7}, frame(26), frame(29)};
  auto expected = one_note_outputs();
  expected.insert(expected.end(), {CommandDetected{6, NoteCommand::start}, TitleCaptured{6, "Garden"}, second});
  EXPECT_EQ(play(script), expected);
  EXPECT_EQ(play(script, 2.5), expected);
  EXPECT_EQ(play(script, 10), expected);
  EXPECT_EQ(play_reversed(script), expected);
}

/// "Start a new note shopping list by some bread", the last three words `pause` seconds behind the others.
Script in_one_breath(double pause) {
  const Frame body = frame(4 + pause);
  return {{{.start = 1,
            .end = 7,
            .text = "Start a new note shopping list by some bread",
            .words = {{"note", frame(2), frame(3), 1},
                      {"shopping", frame(3), frame(3.5), 1},
                      {"list", frame(3.5), frame(4), 1},
                      {"by", body, body + 500, 1}}}},
          20};
}

TEST(NoteDialogue, EndsATitleInOneBreathWhereTheSpeakerPauses) {
  const NoteEnded ended{false, "shopping list", "by some bread", {0}, frame(1), frame(7)};
  EXPECT_THAT(play(in_one_breath(0.3)),
              ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "shopping list"}, ended));
}

TEST(NoteDialogue, KeepsATitleInOneBreathTogetherWhereNobodyPauses) {
  const std::string title = "shopping list by some bread";
  const NoteEnded ended{false, title, "", {}, frame(1), frame(7)};
  EXPECT_THAT(play(in_one_breath(0.2)),
              ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, title}, ended));
}

TEST(NoteDialogue, CompletesANoteAtTheNextStartCommand) {
  const Script script{{{1, 2, "start a new note one"}, {3, 4, "alpha"}, {5, 6, "start a new note two"}, {7, 8, "beta"}},
                      20};
  EXPECT_THAT(play(script),
              ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "one"},
                          NoteEnded{false, "one", "alpha", {1}, 1000, 4000}, CommandDetected{2, NoteCommand::start},
                          TitleCaptured{2, "two"}, NoteEnded{false, "two", "beta", {3}, 5000, 8000}));
}

TEST(NoteDialogue, CompletesANoteCutByTheStop) {
  auto script = one_note();
  script.stop = 11.7;
  script.said.resize(4);
  const NoteEnded ended{false, "Shopping list", "We need milk. And eggs.", {2, 3}, 1000, 11500};
  const std::vector<Output> expected = {CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "Shopping list"},
                                        ended};
  EXPECT_EQ(play(script), expected);
  EXPECT_EQ(play(script, 2.5), expected);
  EXPECT_EQ(play(script, 10), expected);
  EXPECT_EQ(play_reversed(script), expected);
}

TEST(NoteDialogue, CompletesANoteWithoutTitleAndBodyAtTheStop) {
  EXPECT_THAT(play({{{1, 2, "start a new note"}}, 3}),
              ElementsAre(CommandDetected{0, NoteCommand::start}, NoteEnded{false, "Untitled", "", {}, 1000, 2000}));
}

TEST(NoteDialogue, CompletesANoteAsSoonAsTheSilenceIsCertain) {
  NoteDialogue dialogue(settings());
  std::vector<Output> out;
  dialogue.segment_opened(0, 1000);
  dialogue.segment_closed(0, 2000, true);
  dialogue.text_arrived(0, {.text = "start a new note groceries"}, out);
  dialogue.segment_opened(1, 3000);
  dialogue.segment_closed(1, 4000, true);
  dialogue.text_arrived(1, {.text = "milk"}, out);
  dialogue.audio_time(10000, out);
  EXPECT_TRUE(dialogue.note_open());
  EXPECT_EQ(dialogue.title(), "groceries");
  EXPECT_EQ(dialogue.body(), "milk");
  dialogue.audio_time(10001, out);
  EXPECT_FALSE(dialogue.note_open());
}

TEST(NoteDialogue, CountsTheSilenceFromTheEndOfSpeechToTheExactFrame) {
  const auto body = [](double start) {
    const auto out = play({{{1, 2, "start a new note t"}, {3, 4, "one"}, {start, 15, "two"}}, 30});
    return std::get<NoteEnded>(out.back()).text;
  };
  EXPECT_EQ(body(9), "one two");
  EXPECT_EQ(body(9.001), "one");
}

TEST(NoteDialogue, WaitsForSpeechThatHasBegunInTime) {
  const auto out = play({{{1, 2, "start a new note t"}, {3, 4, "one"}, {8.9, 40, "two"}}, 60});
  EXPECT_EQ(std::get<NoteEnded>(out.back()).text, "one two");
}

TEST(NoteDialogue, IgnoresANoiseThatWasNotKept) {
  const Said noise{8, 8.05, "", true, false};
  const auto out = play({{{1, 2, "start a new note t"}, {3, 4, "one"}, noise, {12, 13, "two"}}, 30});
  EXPECT_THAT(out.back(), Output(NoteEnded{false, "t", "one", {1}, 1000, 4000}));
}

TEST(NoteDialogue, KeepsTheIndexOfABodySegmentWhoseTextFailed) {
  const auto out = play({{{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "", false}, {7, 8, "two"}}, 30});
  EXPECT_THAT(out.back(), Output(NoteEnded{false, "t", "one two", {1, 2, 3}, 1000, 8000}));
}

TEST(NoteDialogue, WaitsAMinuteForTheTitle) {
  const auto title = [](double start) {
    const auto out = play({{{1, 2, "start a new note"}, {start, 70, "groceries"}, {71, 72, "milk"}}, 80});
    return std::get<NoteEnded>(out.back());
  };
  EXPECT_EQ(title(62), (NoteEnded{false, "groceries", "milk", {2}, 1000, 72000}));
  EXPECT_EQ(title(62.001), (NoteEnded{false, "Untitled", "groceries milk", {1, 2}, 1000, 72000}));
}

TEST(NoteDialogue, WaitsAMinuteForTheBody) {
  const Script script{{{1, 2, "start a new note t"}, {62.001, 65, "not of the note"}}, 80};
  EXPECT_THAT(play(script).back(), Output(NoteEnded{false, "t", "", {}, 1000, 2000}));
}

TEST(NoteDialogue, NeverKeepsANoteOpenForEver) {
  NoteDialogue dialogue(settings());
  std::vector<Output> out;
  dialogue.segment_opened(0, 1000);
  dialogue.segment_closed(0, 2000, true);
  dialogue.text_arrived(0, {.text = "start a new note"}, out);
  dialogue.audio_time(frame(122), out);
  EXPECT_TRUE(dialogue.note_open());
  dialogue.audio_time(frame(124), out);
  EXPECT_THAT(out,
              ElementsAre(CommandDetected{0, NoteCommand::start}, NoteEnded{false, "Untitled", "", {}, 1000, 2000}));
}

TEST(NoteDialogue, EndsANoteAtItsCommandAndKeepsTheWordsBeforeIt) {
  const Script script{{{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "Two. End note."}, {7, 8, "three"}}, 30};
  EXPECT_THAT(play(script),
              ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "t"},
                          CommandDetected{2, NoteCommand::end}, NoteEnded{false, "t", "one Two.", {1, 2}, 1000, 6000}));
}

TEST(NoteDialogue, CancelsANote) {
  const Script script{{{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "cancel note"}, {7, 8, "two"}}, 30};
  EXPECT_THAT(play(script),
              ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "t"},
                          CommandDetected{2, NoteCommand::cancel}, NoteEnded{true, "t", "one", {1}, 1000, 6000}));
}

TEST(NoteDialogue, ScratchesTheSegmentBefore) {
  const Script script{
      {{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "two"}, {7, 8, "No, scratch that."}, {9, 10, "three"}}, 30};
  EXPECT_THAT(play(script), ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "t"},
                                        CommandDetected{3, NoteCommand::scratch},
                                        NoteEnded{false, "t", "one three", {1, 4}, 1000, 10000}));
}

TEST(NoteDialogue, ScratchesTheWordsBeforeItInItsOwnSegment) {
  const Script script{{{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "two, scratch that"}}, 30};
  EXPECT_THAT(play(script).back(), Output(NoteEnded{false, "t", "one", {1}, 1000, 6000}));
}

TEST(NoteDialogue, TakesTheTitleAnewWhereItWasScratched) {
  const Script script{{{1, 2, "start a new note"}, {3, 4, "wrong"}, {5, 6, "scratch that"}, {7, 8, "right"}}, 30};
  EXPECT_THAT(play(script).back(), Output(NoteEnded{false, "right", "", {}, 1000, 8000}));
}

TEST(NoteDialogue, StopsTheSessionOnceAndReadsNothingBehindIt) {
  const Script script{
      {{1, 2, "start a new note t"}, {3, 4, "one"}, {5, 6, "stop recording"}, {7, 8, "start a new note"}}, 30};
  const std::vector<Output> expected = {CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "t"},
                                        CommandDetected{2, NoteCommand::stop},
                                        NoteEnded{false, "t", "one", {1}, 1000, 4000}, StopRequested{2}};
  EXPECT_EQ(play(script), expected);
  EXPECT_EQ(play_reversed(script), expected);
}

TEST(NoteDialogue, ReportsAnEndOrCancelWithoutANoteAndDoesNothing) {
  EXPECT_THAT(
      play({{{1, 2, "end note"}, {3, 4, "scratch that"}, {5, 6, "cancel note"}, {7, 8, "let me take a break"}}, 9}),
      ElementsAre(CommandDetected{0, NoteCommand::end}, CommandDetected{2, NoteCommand::cancel}));
}

TEST(NoteDialogue, DoesNotReportAnEndWithoutANoteThatIsNotWordForWordOrNotAlone) {
  EXPECT_THAT(play({{{1, 2, "Dispart the note."}, {3, 4, "Bread. End note."}}, 9}), ElementsAre());
}

TEST(NoteDialogue, SeparatesTitleAndBodyInTheSegmentOfTheCommand) {
  const Script script{{{1, 6, "Start a new note called Dr. Smith. Call him today. End note."}}, 9};
  EXPECT_THAT(play(script), ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "Dr. Smith"},
                                        CommandDetected{0, NoteCommand::end},
                                        NoteEnded{false, "Dr. Smith", "Call him today.", {0}, 1000, 6000}));
}

TEST(NoteDialogue, SeparatesTitleAndBodyInTheSegmentOfTheTitle) {
  const Script script{{{1, 2, "Start a new note."}, {3, 6, "Vegetables. Carrots and leeks."}, {7, 8, "Onions."}}, 20};
  EXPECT_THAT(play(script).back(),
              Output(NoteEnded{false, "Vegetables", "Carrots and leeks. Onions.", {1, 2}, 1000, 8000}));
}

TEST(NoteDialogue, PassesOverWhatIsNoTitleAndWaitsForIt) {
  for (const char* text : {"", "[BLANK_AUDIO]", "(music)", "The title is"}) {
    const Script script{{{1, 2, "Start a new note."}, {3, 4, text}, {5, 6, "Garden."}, {7, 8, "Roses."}}, 20};
    EXPECT_THAT(play(script).back(), Output(NoteEnded{false, "Garden", "Roses.", {3}, 1000, 8000})) << text;
  }
}

TEST(NoteDialogue, TakesNoTitleFromASuspectText) {
  Script script{{{1, 2, "Start a new note."}, {3, 4, "Thanks for watching!"}, {5, 6, "Garden."}}, 20};
  script.said[1].suspect = true;
  EXPECT_THAT(play(script)[1], Output(TitleCaptured{2, "Garden"}));
}

TEST(NoteDialogue, TakesOnlyACommandWordForWordFromASuspectText) {
  const auto starts = [](const char* text) {
    Script script{{{1, 2, text}}, 20};
    script.said[0].suspect = true;
    script.said[0].phrases = {{"start a new note", 1, 1000, 2000}};
    return !play(script).empty();
  };
  EXPECT_TRUE(starts("Start a new note."));
  EXPECT_FALSE(starts("Start on your note."));
}

TEST(NoteDialogue, IgnoresASpottedPhraseOfLittleConfidence) {
  const auto starts = [](double confidence) {
    Said said{10, 11.5, "dark a new row"};
    said.phrases = {{"start a new note", confidence, 10100, 11300}};
    return !play({{said}, 30}).empty();
  };
  EXPECT_FALSE(starts(0.04));
  EXPECT_FALSE(starts(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(starts(kMinPhraseConfidence));
}

TEST(NoteDialogue, IgnoresASpottedPhraseThatTheTextDoesNotSoundLike) {
  Said said{10, 11.5, "the weather is fine"};
  said.phrases = {{"start a new note", 0.9, 10100, 11300}};
  EXPECT_THAT(play({{said}, 30}), ElementsAre());
}

TEST(NoteDialogue, TakesACommandThatASecondDecodingConfirmed) {
  const PhraseMatcher matcher(NotePhrases::english());
  const auto confirmed = matcher.confirmed("Bread and butter. End out.", "Bread and butter. End note.");
  ASSERT_TRUE(confirmed);
  Said said{5, 8, "Bread and butter. End out."};
  said.phrases = {{confirmed->phrase, kConfirmedPhrase, 5000, 8000}};
  const auto out = play({{{1, 2, "start a new note t"}, said, {9, 10, "more"}}, 30});
  EXPECT_THAT(out.back(), Output(NoteEnded{false, "t", "Bread and butter.", {1}, 1000, 8000}));
}

TEST(NoteDialogue, DoesNotEndANoteAtWordsThatOnlyLookLikeACommand) {
  const Script script{{{1, 2, "start a new note t"},
                       {3, 4, "let me take a break"},
                       {5, 6, "the new note sounds wrong"},
                       {7, 8, "I started a new notebook"}},
                      30};
  EXPECT_EQ(std::get<NoteEnded>(play(script).back()).segments, (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(NoteDialogue, ReadsSeveralCommandsInOneSegment) {
  const Script script{{{1, 2, "start a new note one"}, {3, 4, "alpha"}, {5, 6, "End note. Start a new note. Two."}},
                      30};
  EXPECT_THAT(
      play(script),
      ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{0, "one"}, CommandDetected{2, NoteCommand::end},
                  NoteEnded{false, "one", "alpha", {1}, 1000, 6000}, CommandDetected{2, NoteCommand::start},
                  TitleCaptured{2, "Two"}, NoteEnded{false, "Two", "", {}, 5000, 6000}));
}

TEST(NoteDialogue, CompletesBehindTheSegmentsThatHaveOpened) {
  auto script = one_note();
  script.complete = 10;  // in the middle of "And eggs."
  const std::vector<Output> expected = {
      CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "Shopping list"},
      NoteEnded{false, "Shopping list", "We need milk. And eggs.", {2, 3}, 1000, 11500}};
  EXPECT_EQ(play(script), expected);
  EXPECT_EQ(play(script, 10), expected);
  EXPECT_EQ(play_reversed(script), expected);
}

TEST(NoteDialogue, CompletingWithoutANoteDoesNothing) {
  auto script = one_note();
  script.complete = 0.5;
  EXPECT_EQ(play(script), one_note_outputs());
}

TEST(NoteDialogue, TakesTheFirstOfTwoTexts) {
  NoteDialogue dialogue(settings());
  std::vector<Output> out;
  dialogue.segment_opened(0, 0);
  dialogue.segment_opened(1, 2000);
  dialogue.segment_closed(0, 1000, true);
  dialogue.segment_closed(1, 3000, true);
  dialogue.text_arrived(1, {.text = "first"}, out);
  dialogue.text_arrived(1, {.text = "second"}, out);
  dialogue.text_arrived(0, {.text = "start a new note"}, out);
  dialogue.text_arrived(0, {.text = "end note"}, out);
  dialogue.text_arrived(7, {.text = "of no segment"}, out);
  EXPECT_THAT(out, ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "first"}));
}

TEST(NoteDialogue, CountsAStartPhraseThatTheEngineSpottedAtTheBeginning) {
  Said said{10, 11.5, "dark a new row"};
  said.phrases = {{"start a new note", 0.9, 10100, 11300}};
  const auto out = play({{said, {12, 13, "groceries"}, {14, 15, "milk"}}, 30});
  EXPECT_THAT(out, ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "groceries"},
                               NoteEnded{false, "groceries", "milk", {2}, 10000, 15000}));
}

TEST(NoteDialogue, TakesTheTitleBehindASpottedPhrase) {
  Said said{10, 13, "dark a new row shopping list"};
  said.phrases = {{"start a new note", 0.9, 10100, 11300}};
  EXPECT_THAT(play({{said}, 30})[1], Output(TitleCaptured{0, "shopping list"}));
}

TEST(NoteDialogue, IgnoresAStartPhraseSpottedInTheMiddle) {
  Said said{10, 14, "how do you dark a new row"};
  said.phrases = {{"start a new note", 0.9, 12500, 13900}};
  EXPECT_THAT(play({{said}, 30}), ElementsAre());
}

TEST(NoteDialogue, CountsASpottedEndPhraseOnlyInASegmentToItself) {
  const auto segments = [](double end) {
    Said said{5, end, "end out"};
    said.phrases = {{"end note", 0.9, 5100, 5800}};
    const auto out = play({{{1, 2, "start a new note t"}, {3, 4, "one"}, said}, 30});
    return std::get<NoteEnded>(out.back()).segments.size();
  };
  EXPECT_EQ(segments(6), 1u);
  EXPECT_EQ(segments(9), 2u);
}

TEST(NoteDialogue, TakesTheLongestOfOverlappingPhrases) {
  Said said{5, 6.2, "dark a new row"};
  said.phrases = {
      {"end note", 0.9, 5700, 6200}, {"start a new note", 0.5, 5000, 6200}, {"stop recording", 1, 5000, 5500}};
  EXPECT_THAT(play({{said}, 30})[0], Output(CommandDetected{0, NoteCommand::start}));
}

TEST(NoteDialogue, IsRebuiltByTheSameCalls) {
  // What a journal holds of a session that was killed in the middle of the body: the texts in another order than live.
  const auto script = one_note();
  NoteDialogue rebuilt(settings());
  std::vector<Output> out;
  for (std::uint32_t i = 0; i < 4; ++i) rebuilt.segment_opened(i, frame(script.said[i].start));
  for (std::uint32_t i = 0; i < 4; ++i) rebuilt.segment_closed(i, frame(script.said[i].end), true);
  rebuilt.recording_stopped(frame(12), out);
  for (std::uint32_t i = 4; i-- > 0;) rebuilt.text_arrived(i, {.text = script.said[i].text}, out);
  EXPECT_THAT(out, ElementsAre(CommandDetected{0, NoteCommand::start}, TitleCaptured{1, "Shopping list"},
                               NoteEnded{false, "Shopping list", "We need milk. And eggs.", {2, 3}, 1000, 11500}));
}

Script random_script(std::mt19937& random) {
  const std::vector<std::string> lines = {"start a new note",
                                          "start a new note groceries",
                                          "Clerk, start a new note",
                                          "end note",
                                          "one two, end note",
                                          "scratch that",
                                          "cancel note",
                                          "milk and eggs",
                                          "let me take a break",
                                          "",
                                          "um",
                                          "bread",
                                          "some more words",
                                          "end note start a new note x"};
  const std::vector<double> pauses = {0.3, 1, 2.9, 4.9, 5, 5.1, 7, 30, 61, 130};
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  Script script;
  double at = 1;
  for (auto left = 1 + random() % 14; left > 0; --left) {
    Said said{at, at + 0.2 + static_cast<double>(random() % 30) / 10, pick(lines)};
    if (random() % 40 == 0) said.text = "stop recording";
    said.success = random() % 8 != 0;
    said.kept = random() % 8 != 0;
    if (random() % 10 == 0) {
      said.phrases = {
          {random() % 2 ? "start a new note" : "end note", 0.8, frame(said.start), frame(said.start + 0.8)}};
    }
    at = said.end + pick(pauses);
    script.said.push_back(std::move(said));
  }
  script.stop = script.said.back().end + static_cast<double>(random() % 100) / 10;
  if (random() % 3 == 0) script.complete = static_cast<double>(random() % 400) / 1000 * script.stop;
  return script;
}

TEST(NoteDialogue, SaysTheSameWhateverTheLatencyAndTheOrderOfTexts) {
  std::mt19937 random(2026);
  for (int round = 0; round < 150; ++round) {
    const auto script = random_script(random);
    const auto expected = play(script);
    ASSERT_EQ(play_reversed(script), expected) << "round " << round;
    for (int order = 0; order < 4; ++order) {
      const double slowest = order % 2 ? 10 : 200;
      std::vector<double> latency;
      for (std::size_t i = 0; i < script.said.size(); ++i) {
        latency.push_back(slowest * static_cast<double>(random() % 1000) / 1000);
      }
      ASSERT_EQ(play(script, [&](std::size_t i) { return latency[i]; }), expected) << "round " << round;
    }
  }
}

TEST(NoteDialogue, EndsEveryNoteThatItStartsExactlyOnce) {
  std::mt19937 random(4);
  for (int round = 0; round < 150; ++round) {
    int open = 0;
    for (const auto& output : play(random_script(random), 2.5)) {
      const auto* detected = std::get_if<CommandDetected>(&output);
      if (detected && detected->command == NoteCommand::start) ++open;
      if (std::holds_alternative<NoteEnded>(output)) --open;
      ASSERT_GE(open, 0);
      ASSERT_LE(open, 1);
    }
    ASSERT_EQ(open, 0);
  }
}

// --- Later texts -----------------------------------------------------------------------------------------------------

/// The notes of sentences a second apart, of which some have later texts.
std::vector<NoteEnded> notes_of(const std::vector<std::string>& first,
                                const std::map<std::uint32_t, std::string>& later) {
  NoteDialogue dialogue(settings());
  std::vector<Output> out;
  for (std::uint32_t i = 0; i < first.size(); ++i) {
    dialogue.segment_opened(i, frame(2.0 * i));
    dialogue.segment_closed(i, frame(2.0 * i + 1), true);
    if (const auto found = later.find(i); found != later.end()) dialogue.revise(i, {.text = found->second});
    dialogue.text_arrived(i, {.success = !first[i].empty(), .text = first[i]}, out);
  }
  dialogue.recording_stopped(frame(60), out);
  std::vector<NoteEnded> notes;
  for (const Output& output : out) {
    if (const auto* note = std::get_if<NoteEnded>(&output)) notes.push_back(*note);
  }
  return notes;
}

const std::vector<std::string> kShopping = {"start a new note", "chopping list", "bread", "and better, end note",
                                            "bye"};

TEST(LaterText, ChangesTheWordsOfANote) {
  const auto notes = notes_of(kShopping, {{1, "shopping list"}, {3, "and butter. End note."}});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].title, "shopping list");
  EXPECT_EQ(notes[0].text, "bread and butter.");
}

TEST(LaterText, WithOtherCommandsIsNotRead) {
  EXPECT_EQ(notes_of(kShopping, {{0, "start a new coat"}}), notes_of(kShopping, {}));
  EXPECT_EQ(notes_of(kShopping, {{2, "scratch that"}}), notes_of(kShopping, {}));
  EXPECT_EQ(notes_of(kShopping, {{3, "and butter"}}), notes_of(kShopping, {}));
  EXPECT_EQ(notes_of(kShopping, {{4, "start a new note"}}), notes_of(kShopping, {}));
}

TEST(LaterText, StandsInThePlaceOfOneThatHadFailed) {
  const auto notes = notes_of({"start a new note", "", "bread", ""}, {{1, "shopping list"}, {3, "and butter"}});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].title, "shopping list");
  EXPECT_EQ(notes[0].text, "bread and butter");
}

}  // namespace
}  // namespace dictum::notes
