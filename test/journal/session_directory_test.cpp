#include "journal/session_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dictum/error.hpp"
#include "session/scribe.hpp"
#include "session/session_writer.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using test::kStarted;
using test::TemporaryDirectory;
namespace fs = std::filesystem;

TEST(SessionName, IsTheStartInUTC) {
  EXPECT_EQ(session_name(kStarted), "20261122_154501");
}

TEST(SessionName, IsTheSameInEveryZone) {
  const char* const before = std::getenv("TZ");
  const std::optional<std::string> zone_before = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
  for (const char* zone : {"Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "UTC"}) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    EXPECT_EQ(session_name(kStarted), "20261122_154501") << zone;
  }
  zone_before ? ::setenv("TZ", zone_before->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

TEST(SessionName, IsTakenForOneWithANumberAndWithout) {
  EXPECT_TRUE(is_session_name("20261122_154501"));
  EXPECT_TRUE(is_session_name("20261122_154501-12"));
  for (const char* other : {"", "20261122", "20261122_15450", "20261122-154501", "20261122_154501-",
                            "20261122_154501-x", "20261122_1545012", "index.sqlite", "2026112a_154501"}) {
    EXPECT_FALSE(is_session_name(other)) << other;
  }
}

TEST(NewSessionDirectory, TakesTheNextNumberWhereTheNameIsTaken) {
  const TemporaryDirectory root;
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    NewSessionDirectory folder(root.path(), kStarted);
    names.push_back(folder.path().filename().string());
    folder.keep();
  }
  EXPECT_THAT(names, testing::ElementsAre("20261122_154501", "20261122_154501-2", "20261122_154501-3"));
}

TEST(NewSessionDirectory, GivesEachOfManyThatStartAtOnceItsOwnFolder) {
  const TemporaryDirectory root;
  std::vector<std::thread> threads;
  std::vector<std::string> names(8);
  for (std::size_t i = 0; i < names.size(); ++i) {
    threads.emplace_back([&, i] {
      NewSessionDirectory folder(root.path(), kStarted);
      names[i] = folder.path().string();
      folder.keep();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(NewSessionDirectory, IsPrivate) {
  const TemporaryDirectory root;
  const NewSessionDirectory folder(root / "sessions", kStarted);
  for (const fs::path& path : {folder.path(), root / "sessions"}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all) << path;
  }
}

TEST(NewSessionDirectory, IsGoneWithTheFoldersAboveUnlessItIsKept) {
  const TemporaryDirectory root;
  {
    const NewSessionDirectory folder(root / "a" / "b", kStarted);
    test::write_file(folder.path() / "file", "x");
  }
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(NewSessionDirectory, SaysWhichPartOfTheRootIsNoFolder) {
  const TemporaryDirectory root;
  test::write_file(root / "file", "x");
  try {
    const NewSessionDirectory folder(root / "file" / "sessions", kStarted);
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::output_unwritable);
    EXPECT_THAT(error.what(), testing::HasSubstr("file' is no folder"));
  }
}

TEST(NewSessionDirectory, SaysThatItCannotBeMade) {
  try {
    const NewSessionDirectory folder("/proc/dictum", kStarted);  // nobody can make a folder there, not even root
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::output_unwritable);
    EXPECT_THAT(error.what(), testing::HasSubstr("'/proc/dictum' cannot be written"));
  }
}

class Environment : public testing::Test {
 protected:
  void set(const char* name, const char* value) {
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  void SetUp() override {
    for (const char* name : {"HOME", "XDG_DATA_HOME"}) {
      const char* value = std::getenv(name);
      saved_.emplace_back(name, value != nullptr ? std::optional<std::string>(value) : std::nullopt);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) set(name.c_str(), value ? value->c_str() : nullptr);
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

TEST_F(Environment, ChoosesTheXDGPlace) {
  set("HOME", "/home/ann");
  set("XDG_DATA_HOME", "/data");
  EXPECT_EQ(default_session_root(), "/data/dictum/sessions");
}

TEST_F(Environment, ChoosesThePlaceInTheHomeFolderWhereXDGNamesNone) {
  set("HOME", "/home/ann");
  for (const char* nothing : {static_cast<const char*>(nullptr), "", "relative"}) {
    set("XDG_DATA_HOME", nothing);
    EXPECT_EQ(default_session_root(), "/home/ann/.local/share/dictum/sessions");
  }
}

TEST_F(Environment, HasNoPlaceWithoutEither) {
  set("HOME", nullptr);
  set("XDG_DATA_HOME", nullptr);
  EXPECT_THROW(default_session_root(), RecorderError);
}

TEST(SessionLock, IsHeldAsLongAsTheWriterLives) {
  const TemporaryDirectory root;
  std::optional<session::SessionWriter> writer(session::SessionWriter::create(root.path(), kStarted, test::info()));
  const fs::path path = writer->path();
  EXPECT_TRUE(is_locked(path));
  writer.reset();
  EXPECT_FALSE(is_locked(path));
}

TEST(SessionLock, IsNotTakenByAsking) {
  const TemporaryDirectory root;
  std::atomic<bool> done{false};
  const fs::path path = session::SessionWriter::create(root.path(), kStarted, test::info()).path();
  std::thread asking([&] {
    while (!done) is_locked(path);
  });
  for (int i = 0; i < 200; ++i) EXPECT_NO_THROW(session::SessionWriter::reopen(path));
  done = true;
  asking.join();
}

TEST(SessionLock, IsNoLockWhereThereIsNoSession) {
  EXPECT_FALSE(is_locked("/nonexistent"));
}

}  // namespace
}  // namespace dictum::journal
