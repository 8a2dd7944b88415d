#include "journal/append_file.hpp"

#include <gtest/gtest.h>

#include "dictum/error.hpp"
#include "session/file_size_limit.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using test::content_of;
using test::FileSizeLimit;
using test::TemporaryDirectory;

TEST(AppendFile, NeverLeavesAPartOfALine) {
  const TemporaryDirectory folder;
  AppendFile file(SessionFolder(folder.path()), "lines");
  file.append("first\n");
  {
    const FileSizeLimit full(9);
    EXPECT_THROW(file.append("second\n"), RecorderError);
  }
  EXPECT_EQ(content_of(folder / "lines"), "first\n");
}

TEST(AppendFile, WritesWhatHadNoRoomBeforeTheNextLine) {
  const TemporaryDirectory folder;
  AppendFile file(SessionFolder(folder.path()), "lines");
  {
    const FileSizeLimit full(0);
    EXPECT_THROW(file.append("first\n"), RecorderError);
    EXPECT_THROW(file.append("second\n"), RecorderError);
  }
  file.append("third\n");
  EXPECT_EQ(content_of(folder / "lines"), "first\nsecond\nthird\n");
}

TEST(AppendFile, KeepsABoundedAmountWaiting) {
  const TemporaryDirectory folder;
  AppendFile file(SessionFolder(folder.path()), "lines");
  const std::string line = std::string(AppendFile::kMaxPendingBytes / 4, 'x') + "\n";
  {
    const FileSizeLimit full(0);
    for (int i = 0; i < 9; ++i) EXPECT_THROW(file.append(line), RecorderError);
  }
  file.append("end\n");
  EXPECT_EQ(content_of(folder / "lines").size(), 3 * line.size() + 4);
}

}  // namespace
}  // namespace dictum::journal
