
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/running_program.hpp"
#include "support/test_data.hpp"
#include "support/virtual_microphone.hpp"
#include "tui_program.hpp"

/// A person at a terminal, with a microphone: keys in, screens out.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kShoppingList = R"({
  "texts": ["start a new note", "shopping list", "buy some bread and a bottle of milk",
            "the shop closes at seven in the evening", "do not forget the coffee"],
  "latency_ms": 600, "interim": {"latency_ms": 5}})";

class TUIEndToEnd : public test::TUIProgram {
 protected:
  void SetUp() override {
    TUIProgram::SetUp();
    if (IsSkipped()) return;
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    microphone.emplace();
  }

  void speak() { microphone->play(test::project_file("samples/voice_note.wav")); }

  /// Presses a key and waits for what only the screen behind it shows: a text that is there already would not be waited
  /// for, and the next key would come too early.
  void press(const std::string& key, const std::string& and_see) {
    const std::string before = terminal->screen();
    ASSERT_THAT(before, Not(HasSubstr(and_see))) << "before " << key << " is pressed";
    terminal->press(key);
    terminal->wait_for(and_see);
  }

  std::optional<test::VirtualMicrophone> microphone;
};

TEST_F(TUIEndToEnd, RecordsANoteAndFindsAndPlaysItAgain) {
  microphone->load("desk");
  run_tui("", kShoppingList);
  press("Space", "● REC");
  speak();
  terminal->wait_for("● ");
  terminal->wait_for(" …");  // interim text
  terminal->wait_for("✎ title?");
  terminal->wait_for("✎ shopping list");
  terminal->wait_for("✓");
  terminal->wait_for("buy some bread and a bottle of milk");
  press("d", "Microphone");
  const std::string listed = terminal->wait_for("desk");
  const std::size_t row_of_desk = listed.rfind('\n', listed.find(" desk "));
  const bool desk_is_default = listed.find("default ", row_of_desk) < listed.find('\n', row_of_desk + 1);
  const bool desk_is_first = listed.find(" desk ") < listed.find(" mic ");
  terminal->press(desk_is_first == desk_is_default ? "Down" : "Home");  // the one that is not recorded from
  press("Enter", "now listening to");
  press("p", "PAUSED");
  press("p", "● REC");
  press("m", "MUTED");
  press("m", "● REC");
  press("l", "/ 5.0 s");  // a long note's silence
  press("n", "is complete");
  press("Space", "■ IDLE");
  terminal->wait_for("queue empty");

  press("s", "Sessions");
  terminal->wait_for("1  shopping list");
  press("Enter", "buy some bread and a bottle of milk");
  press("Enter", "▶ ");
  press("Escape", "play from here");
  press("Escape", "ENTER read");
  terminal->press("Escape");
  terminal->wait_until_gone("Sessions");
  press("/", "Search");
  terminal->type("brea");
  terminal->wait_for("buy some bread");
  press("Enter", "▶ ");
  press("Escape", "TAB read");
  terminal->press("Escape");
  terminal->wait_until_gone("TAB read");
  press("q", "exit 0");
  expect_terminal_as_it_was();

  ASSERT_THAT(sessions(), SizeIs(1));
  EXPECT_THAT(test::grammar_violations(sessions().front()), IsEmpty());
  const auto manifest = session::read_manifest(sessions().front());
  ASSERT_THAT(manifest.notes, SizeIs(1));
  EXPECT_EQ(manifest.notes.front().title, "shopping list");
  EXPECT_THAT(contents(sessions().front() / "events.jsonl"), HasSubstr("DeviceChanged"));
}

TEST_F(TUIEndToEnd, LeavesTwoQueuedSegmentsToTheNextStart) {
  run_tui("", R"({"latency_ms": 60000})");
  press("Space", "● REC");
  speak();
  terminal->wait_for("2 queued");
  press("q", "segments are still being transcribed");
  press("q", "exit 0");
  expect_terminal_as_it_was();
  const auto session = sessions().front();
  const auto left = session::read_manifest(session);
  EXPECT_TRUE(left.stopped_at);

  run_tui("", kShoppingList);
  press("Space", "● REC");  // which finishes what is left, beside what it records
  press("Space", "■ IDLE");
  press("q", "exit 0");
  test::run_program({.executable = DICTUM_PROGRAM,
                     .arguments = {"resume", "--output-dir", (folder / "sessions").string(), "--transcriber",
                                   "simulated", "--simulated-script", (folder / "script.json").string()},
                     .environment = {{"DICTUM_WORKER_DIR", DICTUM_BIN_DIR}, {"DICTUM_CONFIG", ""}},
                     .input = {},
                     .keeps_input_open = false,
                     .output = std::nullopt,
                     .file_size_limit = std::nullopt});
  for (const auto& segment : session::read_manifest(session).segments) {
    EXPECT_TRUE(!segment.is_kept() || segment.status == session::SegmentStatus::done) << segment.index;
  }
}

TEST_F(TUIEndToEnd, TellsOfAMicrophoneThatIsLost) {
  run_tui("", kShoppingList);
  press("Space", "● REC");
  microphone->kill();
  terminal->wait_for("▲");
  microphone->restart();
  terminal->wait_for("sound is missing here");
  press("q", "exit 0");
}

TEST_F(TUIEndToEnd, ExportsASession) {
  run_tui("--input '" + test::project_file("samples/voice_note.wav").string() + "' --pace fast", kShoppingList);
  terminal->wait_for("do not forget the coffee");
  press("s", "1  shopping list");
  press("Enter", "play from here");
  terminal->wait_for("shopping list");
  press("e", "Export");
  press("Enter", "wrote ");
  bool found = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".md") {
      found = true;
      EXPECT_THAT(contents(entry.path()), HasSubstr("buy some bread"));
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(TUIEndToEnd, CorrectsATextAndDeletesTheSession) {
  run_tui("--input '" + test::project_file("samples/voice_note.wav").string() + "' --pace fast", kShoppingList);
  terminal->wait_for("do not forget the coffee");
  terminal->wait_for("■ IDLE");
  press("s", "1  shopping list");
  press("Enter", "play from here");
  terminal->wait_for("buy some bread");
  press("Down", "segment 1");
  press("c", "Correct segment 1");
  terminal->type(" of Ann");
  press("Enter", "segment 1 is corrected");
  terminal->wait_for("shopping list of Ann");
  terminal->wait_for("corrected by hand");
  press("Escape", "ENTER read");
  press("x", "Delete a session");
  press("y", "There are no sessions yet.");
  EXPECT_THAT(sessions(), IsEmpty());
  press("Escape", "Transcript");
  press("q", "exit 0");
}

TEST_F(TUIEndToEnd, TranscribesASessionAgain) {
  run_tui("--input '" + test::project_file("samples/voice_note.wav").string() + "' --pace fast",
          R"({"texts": ["one", "two", "three", "four", "five"]})");
  terminal->wait_for("five");
  terminal->wait_for("■ IDLE");
  std::ofstream(folder / "script.json") << kShoppingList;  // which a worker reads as it starts
  press("s", "begins with");
  press("t", "Transcribe a session again");
  press("y", "is transcribed");
  terminal->wait_for("start a new note");
  press("Escape", "Transcript");
  press("q", "exit 0");
  EXPECT_THAT(test::grammar_violations(sessions().front()), IsEmpty());
}

TEST_F(TUIEndToEnd, TriesAgainWhatHasFailed) {
  run_tui("--input '" + test::project_file("samples/voice_note.wav").string() + "' --pace fast",
          R"({"segments": {"4": [{"do": "crash"}]}})");
  terminal->wait_for("1 without text");
  press("s", "Sessions");
  press("Enter", "play from here");
  terminal->wait_for("no text: ");
  press("Escape", "ENTER read");
  press("Escape", "r tries again");
  std::ofstream(folder / "script.json") << kShoppingList;  // which a worker reads as it starts
  press("r", "do not forget the coffee");
  terminal->wait_until_gone("without text");
  press("q", "exit 0");
  EXPECT_THAT(test::grammar_violations(sessions().front()), IsEmpty());
}

TEST_F(TUIEndToEnd, TakesKeysFromTheConfigurationFile) {
  config = (folder / "config.toml").string();
  std::ofstream(config) << "[tui.keys]\nhelp = \"h\"\nquit = \"f10\"\n";
  run_tui("");
  terminal->wait_for("F10 quit");
  press("h", "this page");
  terminal->press("Escape");
  terminal->wait_until_gone("this page");
  press("F10", "exit 0");
}

TEST_F(TUIEndToEnd, RefusesAWrongKey) {
  config = (folder / "config.toml").string();
  std::ofstream(config) << "[tui.keys]\nhelpp = \"h\"\n";
  run_tui("", "{}", 160, 24);
  terminal->wait_for("unknown action \"helpp\": did you mean \"help\"?");
  terminal->wait_for("exit 2");
}

TEST_F(TUIEndToEnd, FollowsTheSizeOfItsTerminal) {
  run_tui("--demo", kShoppingList);
  terminal->wait_for("Transcript");
  for (const auto& [width, height] : {std::pair(60, 16), std::pair(250, 70), std::pair(31, 9), std::pair(80, 24)}) {
    terminal->resize(width, height);
    terminal->wait_for(width >= 120 ? "Notifications" : width >= 60 ? "q quit" : "Transcript");
  }
  terminal->wait_until_gone("Notifications");
  press("q", "exit 0");
}

TEST_F(TUIEndToEnd, IsWorkedWithTheMouse) {
  run_tui("", kShoppingList);
  terminal->wait_for("● Record");
  terminal->click(4, 1);
  terminal->wait_for("● REC");
  terminal->click(4, 1);
  terminal->wait_for("● Record");
  terminal->click_on("? help");
  terminal->click_on("read, play and export");
  terminal->wait_for("begins with");
  terminal->click_on("  0:0");  // the length of the session, whose row is chosen already
  terminal->wait_for("Nothing was said");
  terminal->click_on("ESC back");
  terminal->wait_for("ENTER read");
  terminal->click_on("ESC back");
  terminal->wait_until_gone("ESC back");
  terminal->click_on("q quit");
  terminal->wait_for("exit 0");
}

}  // namespace
}  // namespace dictum
