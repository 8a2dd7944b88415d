#include "session/index.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "dictum/error.hpp"
#include "journal/session_directory.hpp"
#include "session/database.hpp"
#include "session/manifest.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::content_of;
using test::kRate;
using test::kStarted;
using test::TemporaryDirectory;
using test::write_file;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

/// Sessions of texts only, which is all that the index looks at.
class Index : public testing::Test {
 protected:
  static fs::path make(const fs::path& root, std::chrono::system_clock::time_point started,
                       const std::vector<std::string>& texts, const std::vector<Note>& notes = {}) {
    journal::NewSessionDirectory folder(root, started);
    Manifest manifest;
    manifest.session = folder.path().filename();
    manifest.started_at = started;
    manifest.sample_rate = kRate;
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
      Segment segment;
      segment.index = i;
      segment.start_frame = segment.speech_start_frame = Frame{i} * 10 * kRate;
      segment.end_frame = segment.speech_end_frame = segment.start_frame + 5 * kRate;
      segment.status = SegmentStatus::done;
      segment.text = texts[i];
      manifest.segments.push_back(segment);
    }
    manifest.notes = notes;
    write_manifest(folder.path(), manifest);
    folder.keep();
    return folder.path();
  }

  fs::path make(const std::vector<std::string>& texts, const std::vector<Note>& notes = {}) {
    return make(root_.path(), kStarted, texts, notes);
  }

  static std::vector<std::string> texts_of(const std::vector<SessionMatch>& hits) {
    std::vector<std::string> texts;
    for (const SessionMatch& hit : hits) texts.push_back(hit.text);
    return texts;
  }

  std::vector<std::string> find(const std::string& text,
                                SessionSearch::Scope scope = SessionSearch::Scope::everything) {
    SessionIndex index(root_.path());
    index.refresh();
    SessionSearch query;
    query.text = text;
    query.scope = scope;
    return texts_of(index.search(query));
  }

  const TemporaryDirectory root_;
};

TEST_F(Index, FindsTextsThatHaveAllTheWords) {
  make({"the quick brown fox", "the brown dog", "a quick cat"});
  EXPECT_THAT(find("brown"), ElementsAre("the brown dog", "the quick brown fox"));
  EXPECT_THAT(find("quick brown"), ElementsAre("the quick brown fox"));
  EXPECT_THAT(find("brown quick"), ElementsAre("the quick brown fox"));
  EXPECT_THAT(find("brown bear"), IsEmpty());
}

TEST_F(Index, FindsAPhrase) {
  make({"the quick brown fox", "the fox is quick and brown"});
  EXPECT_THAT(find("\"quick brown\""), ElementsAre("the quick brown fox"));
  EXPECT_THAT(find("\"quick brown\" fox"), ElementsAre("the quick brown fox"));
  EXPECT_THAT(find("fox \"quick brown"), ElementsAre("the quick brown fox"))
      << "a quotation without an end goes to the end";
}

TEST_F(Index, FindsTheBeginningOfAWord) {
  make({"transcription", "translate", "a train"});
  EXPECT_THAT(find("trans*"), ElementsAre("translate", "transcription"));
  EXPECT_THAT(find("trans"), IsEmpty());
}

TEST_F(Index, IgnoresCaseAndAccents) {
  make({"J\xC3\xBCrgen caf\xC3\xA9"});
  EXPECT_THAT(find("JURGEN cafe"), SizeIs(1));
  EXPECT_THAT(find("caf\xC3\xA9"), SizeIs(1));
}

TEST_F(Index, FindsAPartOfASentenceInEveryWriting) {
  make({"今天天气很好，我们去公园散步", "今日はとても天気がいいです", "วันนี้อากาศดีมากเราจึงเดินไปสวน",
        "오늘 회의는 세 시입니다", "आज की बैठक तीन बजे है"});
  EXPECT_THAT(find("天气"), SizeIs(1));
  EXPECT_THAT(find("公园"), SizeIs(1));
  EXPECT_THAT(find("天気"), SizeIs(1));
  EXPECT_THAT(find("อากาศ"), SizeIs(1));
  EXPECT_THAT(find("회의"), SizeIs(1));
  EXPECT_THAT(find("बैठक"), SizeIs(1));
  EXPECT_THAT(find("อากาด"), IsEmpty());
}

TEST_F(Index, FindsTextThatIsComposedInAnotherWay) {
  make({"cafe\u0301 in Zu\u0308rich", "\u1112\u116c\u110b\u1174", "\u304b\u3099\u304f\u305b\u3044",
        "\u0958\u0932\u092e"});
  EXPECT_THAT(find("caf\u00e9 Z\u00fcrich"), SizeIs(1));
  EXPECT_THAT(find("\ud68c\uc758"), SizeIs(1)) << "Korean, in syllables";
  EXPECT_THAT(find("\u304c\u304f\u305b\u3044"), SizeIs(1)) << "Japanese, voiced";
  EXPECT_THAT(find("\u0915\u093c\u0932\u092e"), SizeIs(1)) << "Hindi, with a dot below";
}

TEST_F(Index, FindsNotesByTitleAndByBody) {
  make({"start a new note", "milk and honey"}, {{"Shopping list", "notes/0001-shopping-list.md", {1}}});
  using enum SessionSearch::Scope;
  EXPECT_THAT(find("shopping", notes), ElementsAre("milk and honey"));
  EXPECT_THAT(find("honey", notes), ElementsAre("milk and honey"));
  EXPECT_THAT(find("honey", segments), ElementsAre("milk and honey"));
  EXPECT_THAT(find("shopping", segments), IsEmpty());
  EXPECT_THAT(find("honey"), SizeIs(1)) << "not once more as a note";
  EXPECT_THAT(find("shopping"), SizeIs(1));
}

TEST_F(Index, MarksTheHitsInTheText) {
  make({"one two\nthree two"});
  SessionIndex index(root_.path());
  index.refresh();
  SessionSearch query;
  query.text = "TWO";
  const std::vector<SessionMatch> hits = index.search(query);
  ASSERT_THAT(hits, SizeIs(1));
  EXPECT_EQ(hits[0].text, "one two three two");
  EXPECT_THAT(hits[0].marks, ElementsAre(SessionMatch::Mark{4, 3}, SessionMatch::Mark{14, 3}));
}

TEST_F(Index, SaysWhereToPlayFrom) {
  const fs::path session = make({"first", "second"});
  SessionIndex index(root_.path());
  index.refresh();
  SessionSearch query;
  query.text = "second";
  const SessionMatch hit = index.search(query).at(0);
  EXPECT_EQ(hit.session, session);
  EXPECT_EQ(hit.segment_index, 1u);
  EXPECT_EQ(hit.start_frame, 10 * kRate);
  EXPECT_EQ(hit.end_frame, 15 * kRate);
  EXPECT_EQ(hit.sample_rate, kRate);
  EXPECT_EQ(hit.said_at, kStarted + seconds(10));
}

TEST_F(Index, FindsByDate) {
  for (int day = 0; day < 3; ++day) make(root_.path(), kStarted + hours(24 * day), {fmt::format("day {}", day)});
  SessionIndex index(root_.path());
  index.refresh();
  SessionSearch query;
  query.from = kStarted + hours(24);
  EXPECT_THAT(texts_of(index.search(query)), ElementsAre("day 2", "day 1"));
  query.before = kStarted + hours(48);
  EXPECT_THAT(texts_of(index.search(query)), ElementsAre("day 1"));
  query.text = "0";
  EXPECT_THAT(index.search(query), IsEmpty());
}

TEST_F(Index, FindsInOneSession) {
  make({"apple"});
  const fs::path session = make({"apple pie"});
  SessionIndex index(root_.path());
  index.refresh();
  SessionSearch query;
  query.text = "apple";
  query.session = session.filename();
  EXPECT_THAT(texts_of(index.search(query)), ElementsAre("apple pie"));
}

TEST_F(Index, GivesNoMoreThanWanted) {
  make({"a", "a", "a"});
  SessionIndex index(root_.path());
  index.refresh();
  SessionSearch query;
  query.text = "a";
  query.limit = 2;
  EXPECT_THAT(index.search(query), SizeIs(2));
}

TEST_F(Index, TakesAnyStringForAQuery) {
  make({"hello world"});
  SessionIndex index(root_.path());
  index.refresh();
  std::mt19937 random(1);
  std::vector<std::string> texts = {"\"",
                                    "\"\"",
                                    "\"\"\"",
                                    "*",
                                    "^",
                                    "AND",
                                    "OR",
                                    "NOT",
                                    "NEAR(",
                                    "a AND",
                                    "text:",
                                    "{text}:x",
                                    "-",
                                    "'",
                                    ";DROP TABLE words",
                                    "(",
                                    ")",
                                    "hello*world",
                                    "**",
                                    "\\",
                                    "%",
                                    std::string(10000, 'a'),
                                    std::string("a\0b", 3),
                                    "\xFF\xFE",
                                    "+",
                                    "hello + world",
                                    "NEAR(hello world)",
                                    "\x02"};
  for (int i = 0; i < 1000; ++i) {
    std::string text(random() % 20, '\0');
    const std::string_view alphabet = "\"*^():{}-+'a b\\%\n\xC3\xA9";
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    SessionSearch query;
    query.text = text;
    EXPECT_NO_THROW(index.search(query)) << text;
  }
}

TEST_F(Index, FindsNothingForWordsThatNobodyCanSay) {
  make({"hello"});
  EXPECT_THAT(find("..."), IsEmpty());
  EXPECT_THAT(find("\"\""), IsEmpty());
}

TEST_F(Index, ForgetsASessionThatIsGone) {
  const fs::path session = make({"hello"});
  SessionIndex index(root_.path());
  index.refresh();
  fs::remove_all(session);
  SessionSearch query;
  query.text = "hello";
  EXPECT_THAT(index.search(query), IsEmpty()) << "before the index was updated";
  index.update(session);
  EXPECT_THAT(index.search(query), IsEmpty());
}

TEST_F(Index, TakesTheNewTextOfASession) {
  const fs::path session = make({"old words"});
  SessionIndex index(root_.path());
  index.update(session);
  Manifest manifest = read_manifest(session);
  manifest.segments[0].text = "new words";
  write_manifest(session, manifest);
  index.update(session / "");
  EXPECT_THAT(find("old"), IsEmpty());
  EXPECT_THAT(find("new"), SizeIs(1));
}

TEST_F(Index, NoticesOnItsOwnWhatChanged) {
  const fs::path session = make({"old words"});
  EXPECT_THAT(find("old"), SizeIs(1));
  Manifest manifest = read_manifest(session);
  manifest.segments[0].text = "new words, longer";
  write_manifest(session, manifest);
  make({"another"});
  EXPECT_THAT(find("old"), IsEmpty());
  EXPECT_THAT(find("new"), SizeIs(1));
  EXPECT_THAT(find("another"), SizeIs(1));
}

TEST_F(Index, PassesOverWhatIsNoSession) {
  make({"hello"});
  fs::create_directory(root_ / "20200101_000000");
  fs::create_directory(root_ / "20200101_000001");
  write_file(root_ / "20200101_000001" / "manifest.json", "damage");
  write_file(root_ / "20200101_000002", "a file");
  fs::create_directory(root_ / "other");
  EXPECT_THAT(find("hello"), SizeIs(1));
}

TEST_F(Index, IsPrivate) {
  make({"hello"});
  find("hello");
  EXPECT_EQ(fs::status(SessionIndex::file_in(root_.path())).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Index, IsMadeAgainWhereItIsDamaged) {
  make({"hello"});
  const fs::path file = SessionIndex::file_in(root_.path());
  for (const std::string& damage :
       {std::string("this is no database, and it is long enough to look at it"), std::string(100'000, '\0'),
        std::string("SQLite format 3\0", 16) + std::string(50'000, 'x')}) {
    write_file(file, damage);
    EXPECT_THAT(find("hello"), SizeIs(1));
  }
}

TEST_F(Index, IsMadeAgainWhereAnyPageOfItIsDamaged) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(fmt::format("word{} and hello", i));
  make(texts);
  const fs::path file = SessionIndex::file_in(root_.path());
  find("hello");
  const std::string whole = content_of(file);
  std::mt19937 random(3);
  for (std::size_t page = 0; page < whole.size() / 4096; ++page) {
    std::string damaged = whole;
    for (std::size_t i = 0; i < 4096; ++i) damaged[page * 4096 + i] = static_cast<char>(random());
    write_file(file, damaged);
    fs::remove(file.string() + "-wal");
    fs::remove(file.string() + "-shm");
    SessionIndex index(root_.path());
    EXPECT_NO_THROW(index.refresh()) << page;
    EXPECT_NO_THROW(index.rebuild()) << page;
    SessionSearch query;
    query.text = "hello";
    query.limit = 1000;
    EXPECT_THAT(index.search(query), SizeIs(300)) << page;
  }
}

TEST_F(Index, IsMadeAgainWhereItIsOfAnotherVersion) {
  make({"hello"});
  find("hello");
  std::string other = content_of(SessionIndex::file_in(root_.path()));
  other[63] = 99;  // the user_version
  write_file(SessionIndex::file_in(root_.path()), other);
  EXPECT_THAT(find("hello"), SizeIs(1));
}

TEST_F(Index, WorksInMemoryWhereItsFileCannotBeMade) {
  make({"hello"});
  fs::create_directories(SessionIndex::file_in(root_.path()) / "in the way");
  EXPECT_THAT(find("hello"), SizeIs(1));
}

TEST_F(Index, IsEmptyWhereThereAreNoSessions) {
  SessionIndex index(root_ / "missing");
  index.refresh();
  EXPECT_THAT(index.search({}), IsEmpty());
  EXPECT_FALSE(fs::exists(root_ / "missing"));
}

TEST_F(Index, GivesNoPathThatLeadsOutOfTheRoot) {
  make({"hello"}, {{"a note", "notes/0001-a-note.md", {0}}});
  ASSERT_THAT(find("hello"), SizeIs(1));
  fs::create_directories(root_ / "outside");
  write_file(root_ / "outside/manifest.json", "{}");
  const auto change = [&](const char* sql) {
    Database(SessionIndex::file_in(root_.path())).run(sql);
    return SessionIndex(root_.path()).search({});
  };
  EXPECT_THAT(change("UPDATE entry SET note = '../../outside/secret' WHERE note <> ''"), SizeIs(1));
  EXPECT_THAT(change("UPDATE session SET name = 'outside'"), IsEmpty());
  EXPECT_THAT(change("UPDATE session SET name = '../x/outside'"), IsEmpty());
}

TEST_F(Index, IsNeverADatabaseThatALinkLeadsTo) {
  make({"hello"});
  const fs::path foreign = root_ / "foreign.db";
  Database(foreign).run("CREATE TABLE session (mine TEXT); INSERT INTO session VALUES ('mine')");
  const auto rows = [&] {
    Statement count = Database(foreign).prepare("SELECT count(*) FROM session");
    return count.step() ? count.integer(0) : -1;
  };
  const fs::path file = SessionIndex::file_in(root_.path());
  fs::create_symlink(foreign, file);
  EXPECT_THAT(find("hello"), SizeIs(1));
  EXPECT_EQ(rows(), 1);
  fs::remove(file);
  fs::create_hard_link(foreign, file);
  EXPECT_THAT(find("hello"), SizeIs(1));
  EXPECT_EQ(rows(), 1);
  fs::remove(file);
  fs::create_symlink(root_ / "made", file);
  EXPECT_THAT(find("hello"), SizeIs(1));
  EXPECT_FALSE(fs::exists(root_ / "made"));
}

TEST_F(Index, WaitsForNoPipeInThePlaceOfOneOfItsFiles) {
  make({"hello"});
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    SCOPED_TRACE(suffix);
    const std::string file = SessionIndex::file_in(root_.path()).string() + suffix;
    EXPECT_THAT(find("hello"), SizeIs(1));
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_THAT(find("hello"), SizeIs(1));
  }
}

TEST_F(Index, IsRightAfterSeveralProcessesHaveWrittenToIt) {
  constexpr int processes = 4;
  constexpr int sessions = 15;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        for (int i = 0; i < sessions; ++i) {
          const fs::path session = make({fmt::format("said by {} in turn {}", p, i), "hello"});
          SessionIndex index(root_.path());
          index.update(session);
          if (i % 5 == 4) index.rebuild();
        }
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  SessionSearch all;
  all.limit = 10'000;
  SessionIndex index(root_.path());
  const std::vector<std::string> found = texts_of(index.search(all));
  index.rebuild();
  EXPECT_THAT(found, testing::UnorderedElementsAreArray(texts_of(index.search(all))));
  EXPECT_THAT(found, SizeIs(2 * processes * sessions));
}

}  // namespace
}  // namespace dictum::session
