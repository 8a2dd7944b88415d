#include "journal/file_replacement.hpp"

#include <gtest/gtest.h>

#include <iterator>

#include "dictum/error.hpp"
#include "session/file_size_limit.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using test::content_of;
using test::FileSizeLimit;
using test::TemporaryDirectory;
namespace fs = std::filesystem;

TEST(ReplacedFile, HasTheNewContentAndNothingBeside) {
  const TemporaryDirectory folder;
  const SessionFolder session(folder.path());
  replace_file(session, "file", "old");
  replace_file(session, "file", "new");
  EXPECT_EQ(content_of(folder / "file"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ReplacedFile, IsPrivate) {
  const TemporaryDirectory folder;
  const SessionFolder session(folder.path());
  replace_file(session, "file", "x");
  EXPECT_EQ(fs::status(folder / "file").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(ReplacedFile, KeepsTheOldContentWhereTheDiskIsFull) {
  const TemporaryDirectory folder;
  const SessionFolder session(folder.path());
  replace_file(session, "file", "old");
  try {
    const FileSizeLimit full(2);
    replace_file(session, "file", "much more than that");
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::disk_full);
  }
  EXPECT_EQ(content_of(folder / "file"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ReplacedFile, TakesTheNameOfALinkWithoutFollowingIt) {
  const TemporaryDirectory folder;
  test::write_file(folder / "victim", "mine");
  fs::create_directory(folder / "session");
  fs::create_symlink(folder / "victim", folder / "session/file");
  fs::create_symlink(folder / "victim", folder / "session/file.new");
  replace_file(SessionFolder(folder / "session"), "file", "new");
  EXPECT_EQ(content_of(folder / "victim"), "mine");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder / "session/file")));
  EXPECT_EQ(content_of(folder / "session/file"), "new");
}

}  // namespace
}  // namespace dictum::journal
