#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <regex>

#include "audio/sound_file_reader.hpp"
#include "journal/journal_reader.hpp"
#include "program_fixture.hpp"
#include "session/index.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/sounds.hpp"
#include "support/test_data.hpp"
#include "support/virtual_microphone.hpp"

/// Recording to find it again: the commands for what was recorded.
namespace dictum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class LibraryCommands : public test::ProgramTest {
 protected:
  fs::path root() const { return folder / "sessions"; }

  fs::path script(const std::string& json) const {
    std::ofstream(folder / "script.json") << json;
    return folder / "script.json";
  }

  fs::path texts(const std::vector<std::string>& all) const {
    std::string json;
    for (const auto& text : all) json += (json.empty() ? "\"" : ", \"") + text + "\"";
    return script("{\"texts\": [" + json + "]}");
  }

  static std::vector<std::string> simulated(const fs::path& script) {
    return {"--transcriber", "simulated", "--simulated-script", script};
  }

  /// A session of four segments with these texts.
  fs::path make_session(const std::vector<std::string>& said = {"one", "two", "three", "four"},
                        std::vector<std::string> more = {}) const {
    const auto before = sessions();
    more.insert(more.end(), {"--json", "--vad", "energy", "--min-silence-ms", "200", "--input", beeps(4)});
    for (auto& argument : simulated(texts(said))) more.push_back(std::move(argument));
    const auto result = test::run_program(record(std::move(more)));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    for (const auto& path : sessions()) {
      if (std::ranges::find(before, path) == before.end()) return path;
    }
    ADD_FAILURE() << "no session was made";
    return {};
  }

  /// One whose four segments are a note with two sentences.
  fs::path make_note() const { return make_session({"start a new note", "Shopping list", "bread", "and butter"}); }

  /// Runs `dictum` with these words in the folder of the sessions.
  test::ProgramResult library(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin() + (arguments[0] == "sessions" || arguments[0] == "notes" ? 2 : 1),
                     {"--output-dir", root()});
    return run(std::move(arguments));
  }

  boost::json::value json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto result = library(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return boost::json::parse(result.out);
  }

  std::vector<std::string> shown_texts(const std::string& session, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"sessions", "show", session});
    std::vector<std::string> all;
    const boost::json::value shown = json(std::move(more));
    for (const auto& segment : shown.at("segments").as_array()) all.emplace_back(segment.at("text").as_string());
    return all;
  }

  /// Everything that an index holds, with where it is.
  static std::vector<std::string> content(session::SessionIndex& index) {
    SessionSearch all;
    all.limit = 100'000;
    std::vector<std::string> found;
    for (const auto& hit : index.search(all)) {
      found.push_back(hit.session.string() + "|" + std::to_string(hit.segment_index) + "|" + hit.text + "|" +
                      hit.note_title + "|" + std::to_string(hit.start_frame));
    }
    std::ranges::sort(found);
    return found;
  }

  void expect_right_index() const {
    std::vector<std::string> reported;
    {
      session::SessionIndex index(root());
      reported = content(index);
    }
    session::SessionIndex index(root());
    index.rebuild();
    EXPECT_EQ(reported, content(index));
  }

  static std::string file_of(const fs::path& session, const char* name) { return test::contents(session / name); }
};

// list and show

TEST_F(LibraryCommands, ListNamesEverySessionWithWhatWasSaidFirst) {
  const fs::path session = make_session({"good morning"});
  const auto result = library({"sessions", "list"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(test::lines(result.out), ElementsAre(AllOf(HasSubstr(session.filename().string()),
                                                         HasSubstr("4 segments"), HasSubstr("good morning"))));
}

TEST_F(LibraryCommands, ListNamesASessionByTheTitleOfItsNote) {
  make_note();
  EXPECT_THAT(library({"sessions", "list"}).out, AllOf(HasSubstr("Shopping list"), Not(HasSubstr("start a new note"))));
}

TEST_F(LibraryCommands, ListOfNoFolderIsEmpty) {
  EXPECT_EQ(json({"sessions", "list"}), boost::json::array());
}

struct Damage {
  const char* name;
  std::function<void(const fs::path&)> make;
};

class DamagedSession : public LibraryCommands, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedSession, IsListedWithWhatIsWrongAndNotChanged) {
  const fs::path session = make_session();
  GetParam().make(session);
  std::vector<std::pair<fs::path, std::string>> before;
  for (const auto& entry : fs::directory_iterator(session)) before.emplace_back(entry, test::contents(entry));
  const auto list = json({"sessions", "list"}).as_array();
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_THAT(std::string(list[0].at("problem").as_string()), Not(IsEmpty()));
  EXPECT_THAT(library({"sessions", "list"}).out, HasSubstr("!! "));
  library({"sessions", "show", "last"});
  library({"sessions", "search", "one"});
  library({"sessions", "reindex"});
  for (const auto& [file, content] : before) EXPECT_EQ(test::contents(file), content) << file;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, DamagedSession,
    testing::Values(
        Damage{"NoManifest", [](const fs::path& session) { fs::remove(session / "manifest.json"); }},
        Damage{"TruncatedManifest", [](const fs::path& session) { fs::resize_file(session / "manifest.json", 100); }},
        Damage{"NewerSchema",
               [](const fs::path& session) { std::ofstream(session / "manifest.json") << R"({"schema": 99})"; }},
        Damage{"ForeignManifest",
               [](const fs::path& session) { std::ofstream(session / "manifest.json") << "[1, 2]"; }},
        Damage{"NoJournal", [](const fs::path& session) { fs::remove(session / "events.jsonl"); }}),
    [](const auto& test) { return test.param.name; });

TEST_F(LibraryCommands, ShowHasTheTextsInTheirPlaces) {
  make_session({"one", "two"});
  const auto result = library({"sessions", "show", "last"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("0:00.4  [0] one\n"), HasSubstr("0:01.4  [1] two\n")));
}

TEST_F(LibraryCommands, ShowReportsSoundThatIsMissing) {
  fs::remove(make_session() / "seg_0002.wav");
  EXPECT_THAT(library({"sessions", "show", "last"}).out, HasSubstr("!! seg_0002.wav"));
}

TEST_F(LibraryCommands, ShowOfWhatIsNotThereFailsInOneLine) {
  for (const char* name : {"nothing", "/", "..", "20261122_"}) {
    const auto result = library({"sessions", "show", name});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_THAT(test::lines(result.err), SizeIs(1)) << name;
  }
}

TEST_F(LibraryCommands, AnUnknownVerbNamesTheNearest) {
  const auto result = run({"sessions", "lsit"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(AllOf(HasSubstr("lsit"), HasSubstr("list"))));
}

class InZone : public LibraryCommands {
 protected:
  test::ProgramResult in_zone(std::vector<std::string> arguments, const std::string& zone) const {
    arguments.insert(arguments.begin() + (arguments[0] == "record" ? 1 : 2), {"--output-dir", root()});
    auto settings = dictum(std::move(arguments));
    settings.environment["TZ"] = zone;
    return test::run_program(settings);
  }
};

class Zone : public InZone, public testing::WithParamInterface<const char*> {};

TEST_P(Zone, DecidesWhatIsShownAndNeitherNamesNorOrder) {
  const auto begun = std::chrono::system_clock::now();
  const auto result = in_zone({"record", "--no-transcribe", "--vad", "energy", "--input", tone()}, GetParam());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::time_t second = std::chrono::system_clock::to_time_t(begun);
  std::tm utc{};
  ::gmtime_r(&second, &utc);
  char day[16];
  std::strftime(day, sizeof day, "%Y%m%d_%H", &utc);
  EXPECT_THAT(session().filename().string(), HasSubstr(day)) << "unless the hour has just changed";
  const std::string offset = std::string(GetParam()) == "Asia/Tokyo" ? "+09:00" : "-0";
  EXPECT_THAT(in_zone({"sessions", "list"}, GetParam()).out, HasSubstr(" " + offset));
  EXPECT_THAT(in_zone({"sessions", "show", "last"}, GetParam()).out, HasSubstr(" " + offset));
}

INSTANTIATE_TEST_SUITE_P(OfTheWorld, Zone, testing::Values("Asia/Tokyo", "America/New_York"), [](const auto& test) {
  return std::string(test.param).substr(std::string(test.param).find('/') + 1);
});

TEST_F(InZone, TakesDaysOfASearchAsLocalOnes) {
  make_session({"bread"});
  const std::time_t now = std::time(nullptr);
  for (const char* zone : {"Pacific/Kiritimati", "Pacific/Pago_Pago"}) {  // 25 hours apart: never the same day
    ::setenv("TZ", zone, 1);
    ::tzset();
    std::tm local{};
    ::localtime_r(&now, &local);
    char today[16];
    std::strftime(today, sizeof today, "%Y-%m-%d", &local);
    EXPECT_EQ(in_zone({"sessions", "search", "bread", "--from", today, "--to", today}, zone).exit_code, 0) << zone;
    EXPECT_EQ(in_zone({"sessions", "search", "bread", "--before", today}, zone).exit_code, 1) << zone;
  }
  ::unsetenv("TZ");
  ::tzset();
}

// search

TEST_F(LibraryCommands, SearchMarksTheHitAndSaysWhere) {
  const fs::path session = make_session({"one", "bread and butter"});
  const auto result = library({"sessions", "search", "BREAD"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(test::lines(result.out), ElementsAre(AllOf(HasSubstr(session.filename().string()), HasSubstr("0:01.4"),
                                                         HasSubstr("[1] [bread] and butter"))));
}

TEST_F(LibraryCommands, SearchFindsWordsPhrasesAndBeginnings) {
  make_session({"bread and butter", "butter and bread"});
  EXPECT_THAT(json({"sessions", "search", "butter", "bread"}).as_array(), SizeIs(2));
  EXPECT_THAT(json({"sessions", "search", "\"butter and bread\""}).as_array(), SizeIs(1));
  EXPECT_THAT(json({"sessions", "search", "butt*"}).as_array(), SizeIs(2));
}

TEST_F(LibraryCommands, SearchGoesByDate) {
  make_session({"bread"});
  EXPECT_THAT(json({"sessions", "search", "bread", "--from", "1h"}).as_array(), SizeIs(1));
  EXPECT_EQ(library({"sessions", "search", "bread", "--before", "2001-01-01"}).exit_code, 1);
  EXPECT_EQ(library({"sessions", "search", "bread", "--from", "yesterday"}).exit_code, 2);
}

TEST_F(LibraryCommands, SearchTakesAnyString) {
  make_session();
  for (const std::string text : {"\"", "*", "AND", "a OR b", "NEAR(", "^x", "{text}:x", "'; DROP TABLE words",
                                 "\xff\xfe", "\xf0\x9f\x8d\x9e", "\x01\x02", "%s%n"}) {
    const auto result = library({"sessions", "search", "--", text});
    EXPECT_THAT(result.exit_code, AnyOf(0, 1)) << text;
    EXPECT_EQ(result.signal, 0) << text;
  }
  EXPECT_EQ(library({"sessions", "search", "--", std::string(100'000, 'x')}).exit_code, 1);
}

TEST_F(LibraryCommands, TheIndexKnowsASessionAsSoonAsItsRecordingEnds) {
  make_session({"first"});
  library({"sessions", "reindex"});
  make_session({"second"});
  session::SessionIndex index(root());  // and nobody looks for what is new
  SessionSearch query;
  query.text = "second";
  EXPECT_THAT(index.search(query), SizeIs(1));
}

TEST_F(LibraryCommands, ADamagedIndexIsMadeAgain) {
  make_session({"bread"});
  library({"sessions", "reindex"});
  std::ofstream(root() / "index.sqlite") << "no database";
  EXPECT_EQ(library({"sessions", "search", "bread"}).exit_code, 0);
}

// export

TEST_F(LibraryCommands, ExportWritesWhatTheEndingSays) {
  make_session({"bread"});
  for (const char* name : {"a.txt", "a.srt", "a.vtt", "a.json", "a.md", "a.flac", "a.wav"}) {
    const auto result = library({"sessions", "export", "last", folder / name});
    EXPECT_EQ(result.exit_code, 0) << name << result.err;
    EXPECT_GT(fs::file_size(folder / name), 0U) << name;
  }
}

TEST_F(LibraryCommands, ExportOfASessionThatLacksTextsSaysSoAndFails) {
  std::vector<std::string> arguments{"--json", "--vad", "energy", "--min-silence-ms", "200", "--input", beeps(4)};
  const fs::path failing =
      script(R"({"texts": ["one", "two"], "segments": {"1": [{"do": "error", "message": "nope"}]}})");
  for (auto& argument : simulated(failing)) arguments.push_back(std::move(argument));
  EXPECT_EQ(test::run_program(record(std::move(arguments))).exit_code, 1);
  for (const char* name : {"a.txt", "a.srt", "a.vtt", "a.md"}) {
    const auto result = library({"sessions", "export", "last", folder / name});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("1 of 4 segments has no text"))) << name;
    EXPECT_THAT(test::contents(folder / name), AllOf(HasSubstr("not transcribed"), HasSubstr("nope"))) << name;
  }
}

TEST_F(LibraryCommands, ExportOverwritesNothing) {
  make_session();
  for (const char* name : {"a.txt", "a.flac"}) {
    std::ofstream(folder / name) << "mine";
    EXPECT_EQ(library({"sessions", "export", "last", folder / name}).exit_code, 1);
    EXPECT_EQ(test::contents(folder / name), "mine");
  }
}

TEST_F(LibraryCommands, ExportToAnUnknownFormatIsAWrongUse) {
  make_session();
  EXPECT_EQ(library({"sessions", "export", "last", folder / "a.docx"}).exit_code, 2);
}

TEST_F(LibraryCommands, SubtitlesLieInsideTheirSegmentsAndFFprobeTakesThem) {
  const fs::path session = make_session({"bread and butter", "two pints of milk <b>&", "", "--> four"});
  const auto manifest = session::read_manifest(session);
  const std::regex times(R"((\d+):(\d+):(\d+)[.,](\d+) --> (\d+):(\d+):(\d+)[.,](\d+))");
  for (const std::string name : {"a.srt", "a.vtt"}) {
    ASSERT_EQ(library({"sessions", "export", "last", folder / name}).exit_code, 0);
    const std::string text = test::contents(folder / name);
    std::size_t cues = 0;
    for (std::sregex_iterator cue(text.begin(), text.end(), times), end; cue != end; ++cue, ++cues) {
      const auto ms = [&](std::size_t first) {
        return ((std::stol((*cue)[first]) * 60 + std::stol((*cue)[first + 1])) * 60 + std::stol((*cue)[first + 2])) *
                   1000 +
               std::stol((*cue)[first + 3]);
      };
      EXPECT_TRUE(std::ranges::any_of(manifest.segments, [&](const session::Segment& segment) {
        return ms(1) * manifest.sample_rate >= segment.start_frame * 1000 &&
               ms(5) * manifest.sample_rate <= segment.end_frame * 1000;
      })) << cue->str();
    }
    EXPECT_EQ(cues, 3U) << text;
    if (std::system("ffprobe -version > /dev/null 2>&1") != 0) GTEST_SKIP() << "ffprobe is not installed";
    const std::string probe = "ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 '" +
                              (folder / name).string() + "' > '" + (folder / "probe").string() + "' 2>&1";
    EXPECT_EQ(std::system(probe.c_str()), 0) << test::contents(folder / "probe");
    EXPECT_EQ(test::contents(folder / "probe"), "3\n");
  }
}

TEST_F(LibraryCommands, TheExportedTimelineIsAsLongAsTheClockToTheSample) {
  for (const char* keep : {"", "--keep-all"}) {
    const fs::path session = make_session({}, *keep != 0 ? std::vector<std::string>{keep} : std::vector<std::string>{});
    const fs::path file = folder / (std::string("a") + keep + ".flac");
    ASSERT_EQ(library({"sessions", "export", session, file, "--timeline"}).exit_code, 0);
    EXPECT_EQ(audio::SoundFileReader(file).frames(), session::read_manifest(session).end_frame) << keep;
  }
}

// delete and prune

TEST_F(LibraryCommands, DeleteLeavesAFolderAloneThatIsNoSession) {
  fs::create_directories(folder / "ext" / "js");
  std::ofstream(folder / "ext" / "manifest.json") << R"({"manifest_version": 3})";
  std::ofstream(folder / "ext" / "js" / "a.js") << "code";
  const auto result = library({"sessions", "delete", folder / "ext", "--yes"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("no session")));
  EXPECT_TRUE(fs::exists(folder / "ext" / "js" / "a.js"));
}

TEST_F(LibraryCommands, DeleteWithoutYesDeletesNothing) {
  make_session();
  EXPECT_EQ(library({"sessions", "delete", "last"}).exit_code, 2);
  EXPECT_THAT(sessions(), SizeIs(1));
}

TEST_F(LibraryCommands, DeleteTakesTheSessionOutOfTheSearch) {
  make_session({"bread"});
  library({"sessions", "reindex"});
  EXPECT_EQ(library({"sessions", "delete", "last", "--yes"}).exit_code, 0);
  EXPECT_THAT(sessions(), IsEmpty());
  session::SessionIndex index(root());
  EXPECT_THAT(content(index), IsEmpty());
}

TEST_F(LibraryCommands, PruneListsInADryRunAndKeepsSessionsWithNotes) {
  const fs::path plain = make_session();
  const fs::path noted = make_note();
  const auto reported = json({"sessions", "prune", "--older-than", "2100-01-01", "--dry-run"});
  EXPECT_THAT(sessions(), SizeIs(2));
  EXPECT_EQ(reported.at("removed"), boost::json::array({plain.string()}));
  EXPECT_EQ(json({"sessions", "prune", "--older-than", "2100-01-01"}).at("removed"), reported.at("removed"));
  EXPECT_THAT(sessions(), ElementsAre(noted));
}

TEST_F(LibraryCommands, PruneDeletesSessionsWithNotesWhereThatIsAskedFor) {
  const fs::path noted = make_note();
  EXPECT_EQ(json({"sessions", "prune", "--older-than", "2100-01-01", "--no-keep-notes"}).at("removed"),
            boost::json::array({noted.string()}));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(LibraryCommands, PruneLeavesWhatIsYoungAndWhatItCannotUnderstand) {
  make_session();
  EXPECT_EQ(library({"sessions", "prune", "--older-than", "90d"}).exit_code, 0);
  for (const char* age : {"soon", "0d", "0m"}) {
    EXPECT_EQ(library({"sessions", "prune", "--older-than", age}).exit_code, 2) << age;
  }
  EXPECT_EQ(library({"sessions", "prune"}).exit_code, 2);
  EXPECT_THAT(sessions(), SizeIs(1));
}

// edit, and a second pass

TEST_F(LibraryCommands, EditIsARevisionBesideTheOldText) {
  const fs::path session = make_session({"one", "too"});
  EXPECT_EQ(library({"sessions", "edit", "last", "1", "two"}).exit_code, 0);
  EXPECT_THAT(shown_texts("last"), ElementsAre("one", "two", "segment 2", "segment 3"));
  EXPECT_THAT(shown_texts("last", {"--revision", "0"}), ElementsAre("one", "too", "segment 2", "segment 3"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
  EXPECT_EQ(library({"sessions", "search", "two"}).exit_code, 0);
}

TEST_F(LibraryCommands, EditBySpeakingTakesTheTranscriptAndLeavesNoOtherSession) {
  make_session({"one", "too"});
  std::vector<std::string> arguments{"sessions", "edit", "last", "1", "--speak", "--vad", "energy", "--input", tone()};
  for (auto& argument : simulated(texts({"two"}))) arguments.push_back(std::move(argument));
  const auto result = library(std::move(arguments));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(shown_texts("last").at(1), "two");
  EXPECT_THAT(sessions(), SizeIs(1));
}

TEST_F(LibraryCommands, EditOfWhatIsNotThereChangesNothing) {
  const fs::path session = make_session();
  const std::string before = file_of(session, "events.jsonl");
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"99", "x"}, {"-1", "x"}, {"x", "x"}, {"1"}, {"1", "x", "--speak"}}) {
    std::vector<std::string> arguments{"sessions", "edit", "last"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    EXPECT_THAT(library(arguments).exit_code, AnyOf(1, 2));
  }
  EXPECT_EQ(file_of(session, "events.jsonl"), before);
}

TEST_F(LibraryCommands, EditOfANotesSegmentRewritesTheNoteAndKeepsTheFormer) {
  const fs::path session = make_note();
  const std::string former = file_of(session, "notes/0001-shopping-list.md");
  EXPECT_EQ(library({"sessions", "edit", "last", "2", "brown bread"}).exit_code, 0);
  EXPECT_THAT(file_of(session, "notes/0001-shopping-list.md"),
              AllOf(HasSubstr("\nbrown bread and butter\n"), HasSubstr("\nrevision: 1\n")));
  EXPECT_EQ(file_of(session, "notes/0001-shopping-list.0.md"), former);
  EXPECT_EQ(json({"notes", "list"}).as_array()[0].at("text"), "brown bread and butter");
  EXPECT_THAT(library({"notes", "search", "brown"}).out, HasSubstr("note \"Shopping list\""));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, EditOfANotesTitleIsShownUnderTheOldFilesName) {
  const fs::path session = make_note();
  EXPECT_EQ(library({"sessions", "edit", "last", "1", "The title is: Things to buy"}).exit_code, 0);
  EXPECT_EQ(json({"notes", "list"}).as_array()[0].at("title"), "Things to buy");
  EXPECT_THAT(file_of(session, "notes/0001-shopping-list.md"), HasSubstr("# Things to buy\n"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, EditThatTakesTheCommandOutOfASegmentLeavesTheNoteAsItWas) {
  const fs::path session = make_note();
  const std::string before = file_of(session, "notes/0001-shopping-list.md");
  EXPECT_EQ(library({"sessions", "edit", "last", "0", "what a lovely day"}).exit_code, 0);
  EXPECT_EQ(library({"sessions", "edit", "last", "2", "bread", "--json"}).exit_code, 2);
  EXPECT_EQ(file_of(session, "notes/0001-shopping-list.md"), before);
  EXPECT_FALSE(fs::exists(session / "notes/0001-shopping-list.0.md"));
}

TEST_F(LibraryCommands, EditKeepsWhatSomebodyWroteIntoTheNotesFile) {
  const fs::path session = make_note();
  std::ofstream(session / "notes/0001-shopping-list.md", std::ios::app) << "by hand\n";
  for (const char* text : {"brown bread", "white bread"}) {
    EXPECT_EQ(library({"sessions", "edit", "last", "2", text}).exit_code, 0);
  }
  EXPECT_THAT(file_of(session, "notes/0001-shopping-list.0.md"), testing::EndsWith("by hand\n"));
  EXPECT_THAT(file_of(session, "notes/0001-shopping-list.1.md"), HasSubstr("brown bread"));
  EXPECT_THAT(file_of(session, "notes/0001-shopping-list.md"), HasSubstr("white bread"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, RetranscribeRewritesTheNoteAndReportsIt) {
  const fs::path session = make_session({"start a new note", "Chopping list", "bread", "and better"});
  std::vector<std::string> arguments{"retranscribe", "last", "--json"};
  for (auto& argument : simulated(texts({"start a new note", "Shopping list", "bread", "and butter"}))) {
    arguments.push_back(std::move(argument));
  }
  const auto result = library(std::move(arguments));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto reported = test::bodies<NoteCompleted>(test::events(result.out));
  ASSERT_THAT(reported, SizeIs(1));
  EXPECT_EQ(reported[0].title, "Shopping list");
  EXPECT_EQ(reported[0].text, "bread and butter");
  EXPECT_EQ(reported[0].revision, 1);
  EXPECT_THAT(file_of(session, "notes/0001-chopping-list.md"), HasSubstr("# Shopping list\n\nbread and butter\n"));
  EXPECT_THAT(file_of(session, "notes/0001-chopping-list.0.md"), HasSubstr("# Chopping list\n\nbread and better\n"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, ANoteWhoseRewritingWasCutOffIsRewrittenByTheNextWork) {
  const fs::path session = make_note();
  EXPECT_EQ(library({"sessions", "edit", "last", "2", "brown bread"}).exit_code, 0);
  const std::string note = file_of(session, "notes/0001-shopping-list.md");
  fs::remove(session / "notes/0001-shopping-list.md");  // between the two steps
  EXPECT_EQ(library({"sessions", "edit", "last", "3", "and butter"}).exit_code, 0);
  EXPECT_EQ(file_of(session, "notes/0001-shopping-list.md"), note);
}

TEST_F(LibraryCommands, RetranscribeShowsTheNewestTextAndKeepsTheOld) {
  const fs::path session = make_session({"won", "too"});
  std::vector<std::string> arguments{"retranscribe", "last"};
  for (auto& argument : simulated(texts({"one", "two", "three", "four"}))) arguments.push_back(std::move(argument));
  const auto result = library(std::move(arguments));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(shown_texts("last"), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(shown_texts("last", {"--revision", "0"}), ElementsAre("won", "too", "segment 2", "segment 3"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, RetranscribeKeepsWhatAPersonWroteUnlessAskedOtherwise) {
  const fs::path session = make_session({"one", "too"});
  EXPECT_EQ(library({"sessions", "edit", "last", "1", "two, by hand"}).exit_code, 0);
  std::vector<std::string> again{"retranscribe", "last"};
  for (auto& argument : simulated(texts({"A", "B", "C", "D"}))) again.push_back(std::move(argument));
  const auto kept = library(again);
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(test::lines(kept.err), ElementsAre(HasSubstr("--replace-edits")));
  EXPECT_THAT(shown_texts("last"), ElementsAre("A", "two, by hand", "C", "D"));
  EXPECT_EQ(library({"sessions", "search", "\"by hand\""}).exit_code, 0);
  again.emplace_back("--replace-edits");
  EXPECT_EQ(library(again).exit_code, 0);
  EXPECT_THAT(shown_texts("last"), ElementsAre("A", "B", "C", "D"));
  EXPECT_THAT(shown_texts("last", {"--revision", "1"}), ElementsAre("A", "two, by hand", "C", "D"));
  EXPECT_THAT(test::grammar_violations(session), IsEmpty());
}

TEST_F(LibraryCommands, RetranscribeThatFailsKeepsTheText) {
  make_session({"one", "two"});
  std::vector<std::string> arguments{"retranscribe", "last", "--workers",
                                     "4"};  // each pauses longer after each failure
  for (auto& argument : simulated(script(R"({"do": "error", "message": "no"})")))
    arguments.push_back(std::move(argument));
  EXPECT_EQ(library(std::move(arguments)).exit_code, 1);
  EXPECT_THAT(shown_texts("last"), ElementsAre("one", "two", "segment 2", "segment 3"));
}

TEST_F(LibraryCommands, RetranscribeWithoutATranscriberIsAWrongUse) {
  make_session();
  EXPECT_EQ(library({"retranscribe", "last", "--transcriber", "none"}).exit_code, 2);
}

TEST_F(LibraryCommands, ResegmentWithTheSameSettingsFindsTheSameSegments) {
  const fs::path session = make_session({"one"}, {"--keep-all"});
  std::vector<std::string> arguments{"resegment", "last", "--vad", "energy", "--min-silence-ms", "200"};
  for (auto& argument : simulated(texts({"one"}))) arguments.push_back(std::move(argument));
  const auto result = library(std::move(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  ASSERT_THAT(sessions(), SizeIs(2));
  const auto before = session::read_manifest(session);
  const auto after = session::read_manifest(sessions()[1]);
  EXPECT_EQ(after.segments, before.segments);
  EXPECT_EQ(after.end_frame, before.end_frame);
  EXPECT_EQ(after.started_at, before.started_at);
  EXPECT_THAT(test::grammar_violations(sessions()[1]), IsEmpty());
}

TEST_F(LibraryCommands, ResegmentWithOtherSettingsFindsOthers) {
  make_session({}, {"--keep-all"});
  const auto analysis = json({"resegment", "last", "--vad", "energy", "--min-silence-ms", "800", "--dry-run"});
  EXPECT_THAT(analysis.at("segments").as_array(), SizeIs(1));
  EXPECT_THAT(sessions(), SizeIs(1));
}

TEST_F(LibraryCommands, ResegmentNeedsTheWholeSound) {
  make_session();
  const auto result = library({"resegment", "last", "--transcriber", "none"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("--keep-all")));
  EXPECT_THAT(sessions(), SizeIs(1));
}

// replay and play

TEST_F(LibraryCommands, ReplayPrintsTheJournalAgain) {
  std::vector<std::string> journal;
  journal::JournalReader reader(make_session());
  while (const auto event = reader.next()) journal.push_back(event->to_json());
  const auto result = library({"replay", "last", "--speed", "0"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(test::lines(result.out), journal);
}

TEST_F(LibraryCommands, ReplayTakesAsLongAsTheRecordingDidAndTheSpeedShortensIt) {
  const fs::path session = make_session({}, {"--pace", "realtime"});
  const auto seconds = [&](const char* speed) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(library({"replay", session, "--speed", speed}).exit_code, 0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double first = 0;
  double last = 0;
  journal::JournalReader reader(session);
  while (const auto event = reader.next()) {
    if (event->sequence == 0U) first = event->timestamp;
    if (const auto* changed = std::get_if<RecordingStateChanged>(&event->body); changed && !changed->is_recording)
      last = event->timestamp;
  }
  EXPECT_GE(seconds("2"), (last - first) / 2);
  EXPECT_LT(seconds("100"), (last - first) / 2);
}

TEST_F(LibraryCommands, ReplayOfADamagedJournalSaysWhere) {
  const fs::path session = make_session();
  std::ofstream(session / "events.jsonl", std::ios::app) << "nonsense\n";
  const auto result = library({"replay", "last", "--speed", "0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Line "));
}

TEST_F(LibraryCommands, PlayPlaysToTheEnd) {
  DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
  make_session({"one", "two", "three", "four"});
  const test::VirtualMicrophone microphone;
  auto settings = dictum({"sessions", "play", "--output-dir", root(), "last", "--segment", "2"});
  settings.environment["PULSE_SERVER"] = std::getenv("PULSE_SERVER");
  settings.environment["XDG_RUNTIME_DIR"] = std::getenv("XDG_RUNTIME_DIR");
  const auto result = test::run_program(settings);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(test::lines(result.out), ElementsAre(HasSubstr("[2] three"), HasSubstr("[3] four")));
}

TEST_F(LibraryCommands, PlayWithoutASoundServerFailsInOneLine) {
  make_session();
  const auto result = library({"sessions", "play", "last"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(LibraryCommands, PlayFromAPlaceThatIsNoneIsAWrongUse) {
  make_session();
  EXPECT_EQ(library({"sessions", "play", "last", "--at", "soon"}).exit_code, 2);
  EXPECT_EQ(library({"sessions", "play", "last", "--at", "1:00"}).exit_code, 1);
}

// notes

TEST_F(LibraryCommands, NotesAreListedShownAndFound) {
  const fs::path session = make_note();
  const auto notes = json({"notes", "list"}).as_array();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].at("title"), "Shopping list");
  EXPECT_EQ(notes[0].at("text"), "bread and butter");
  EXPECT_EQ(library({"notes", "show", "last"}).out, file_of(session, "notes/0001-shopping-list.md"));
  EXPECT_EQ(library({"notes", "show", "last", "2"}).exit_code, 1);
  EXPECT_THAT(library({"notes", "search", "shopping"}).out, HasSubstr("note \"Shopping list\": bread and butter"));
  EXPECT_EQ(library({"notes", "search", "start"}).exit_code, 1);
}

// several processes

TEST_F(LibraryCommands, TwoRecordingsAndASecondPassAtOnceLeaveARightIndex) {
  const fs::path old = make_session({"old"});
  library({"sessions", "reindex"});
  const auto recording = [&](const char* name) {
    std::ofstream(folder / name) << R"({"latency_ms": 30, "texts": ["start a new note", ")" << name
                                 << R"(", "bread", "butter"]})";
    std::vector<std::string> arguments{"--json", "--vad", "energy", "--min-silence-ms", "200", "--input", beeps(12)};
    for (auto& argument : simulated(folder / name)) arguments.push_back(std::move(argument));
    return record(std::move(arguments));
  };
  std::vector<std::string> second{"retranscribe", "--output-dir", root(), old};
  for (auto& argument : simulated(texts({"new"}))) second.push_back(std::move(argument));
  test::RunningProgram first(recording("alpha"));
  test::RunningProgram other(recording("beta"));
  test::RunningProgram pass(dictum(std::move(second)));
  EXPECT_EQ(first.wait().exit_code, 0);
  EXPECT_EQ(other.wait().exit_code, 0);
  EXPECT_EQ(pass.wait().exit_code, 0);
  EXPECT_THAT(sessions(), SizeIs(3));
  {
    session::SessionIndex index(root());
    EXPECT_THAT(content(index), AllOf(Contains(HasSubstr("|alpha|")), Contains(HasSubstr("|beta|")),
                                      Contains(HasSubstr("|new|")), Not(Contains(HasSubstr("|old|")))));
  }
  expect_right_index();
}

// The whole way, with the default recogniser.

class SpokenNote : public LibraryCommands {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(DICTUM_BIN_DIR) / "dictum-worker-pocketsphinx"))
      GTEST_SKIP() << "the pocketsphinx worker is not built";
  }

  void transcribe(const fs::path& file) const {
    const auto result = test::run_program(record({"--json", "--transcriber", "pocketsphinx", "--input", file}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
};

TEST_F(SpokenNote, OfTheSampleHasItsTitleAndItsFile) {
  transcribe(test::project_file("samples/voice_note.wav"));
  const auto notes = json({"notes", "list"}).as_array();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].at("title"), "shopping list");
  EXPECT_THAT(file_of(session(), "notes/0001-shopping-list.md"), HasSubstr("# shopping list"));
}

TEST_F(SpokenNote, BehindAPrefixIsCompletedBySilence) {
  DICTUM_TEST_DATA_OR_SKIP(voice_note, "audio/voice_note.wav");
  test::write_wav(folder / "note.wav", test::with_silence_after(test::read_sound(voice_note), 6));
  transcribe(folder / "note.wav");
  const auto notes = json({"notes", "list"}).as_array();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].at("title"), "this is the title");
  EXPECT_THAT(std::string(notes[0].at("text").as_string()), HasSubstr("this is the body"));
}

}  // namespace
}  // namespace dictum
