#include "journal/disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/iso_time.hpp"
#include "dictum/error.hpp"
#include "journal/append_file.hpp"
#include "session/file_size_limit.hpp"
#include "session/scribe.hpp"
#include "session/wav_repair.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using test::content_of;
using test::FileSizeLimit;
using test::TemporaryDirectory;
using test::write_file;
namespace fs = std::filesystem;

TEST(ReplacedFile, HasTheNewContentAndNothingBeside) {
  const TemporaryDirectory folder;
  replace_file(folder / "file", "old");
  replace_file(folder / "file", "new");
  EXPECT_EQ(content_of(folder / "file"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ReplacedFile, IsPrivate) {
  const TemporaryDirectory folder;
  replace_file(folder / "file", "x");
  EXPECT_EQ(fs::status(folder / "file").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(ReplacedFile, KeepsTheOldContentWhereTheDiskIsFull) {
  const TemporaryDirectory folder;
  replace_file(folder / "file", "old");
  try {
    const FileSizeLimit full(2);
    replace_file(folder / "file", "much more than that");
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::disk_full);
  }
  EXPECT_EQ(content_of(folder / "file"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(AFileOfAnybody, IsRefusedWhereItIsTooLargeMissingOrNoFile) {
  const TemporaryDirectory folder;
  write_file(folder / "file", "12345");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(folder / "file", 5), "12345");
  EXPECT_THROW(read_file(folder / "file", 4), RecorderError);
  EXPECT_THROW(read_file(folder / "missing", 4), RecorderError);
  EXPECT_THROW(read_file(folder.path(), 4), RecorderError);
  EXPECT_THROW(read_file(folder / "pipe", 4), RecorderError);
}

TEST(AppendFile, NeverLeavesAPartOfALine) {
  const TemporaryDirectory folder;
  AppendFile file(folder / "lines");
  file.append("first\n");
  {
    const FileSizeLimit full(9);
    EXPECT_THROW(file.append("second\n"), RecorderError);
  }
  EXPECT_EQ(content_of(folder / "lines"), "first\n");
}

TEST(AppendFile, WritesWhatHadNoRoomBeforeTheNextLine) {
  const TemporaryDirectory folder;
  AppendFile file(folder / "lines");
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
  AppendFile file(folder / "lines");
  const std::string line = std::string(AppendFile::kMostWaiting / 4, 'x') + "\n";
  {
    const FileSizeLimit full(0);
    for (int i = 0; i < 9; ++i) EXPECT_THROW(file.append(line), RecorderError);
  }
  file.append("end\n");
  EXPECT_EQ(content_of(folder / "lines").size(), 3 * line.size() + 4);
}

TEST(ISOTime, IsReadBack) {
  EXPECT_EQ(iso_time(test::kStarted), "2026-11-22T15:45:01.250Z");
  EXPECT_EQ(parse_iso_time("2026-11-22T15:45:01.250Z"), test::kStarted);
  EXPECT_EQ(parse_iso_time("2026-11-22T15:45:01Z"), test::kStarted - std::chrono::milliseconds(250));
}

TEST(ISOTime, IsNothingElse) {
  for (const char* wrong : {"", "2026-11-22", "2026-13-22T15:45:01Z", "2026-02-30T15:45:01Z", "2026-11-22T24:00:00Z",
                            "2026-11-22T15:60:00Z", "2026-11-22 15:45:01Z", "2026-11-22T15:45:01+00:00",
                            "-026-11-22T15:45:01Z", "9999-11-22T15:45:01Z", "1969-11-22T15:45:01Z"}) {
    EXPECT_EQ(parse_iso_time(wrong), std::nullopt) << wrong;
  }
}

TEST(ISOTime, IsADateForEveryTimestamp) {
  EXPECT_EQ(iso_time(time_of(1795362301.25)), "2026-11-22T15:45:01.250Z");
  EXPECT_EQ(iso_time(time_of(-1)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(time_of(std::numeric_limits<double>::quiet_NaN())), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(time_of(1e300)).substr(0, 4), "2128");
}

class RepairedWAV : public testing::Test {
 protected:
  RepairedWAV() {
    audio::WAVWriter wav(path_, 16000);
    wav.append(std::vector<std::int16_t>(1000, 7));
    wav.close();
  }
  const TemporaryDirectory folder_;
  const fs::path path_ = folder_ / "seg_0000.wav";
};

TEST_F(RepairedWAV, CountsSamplesThatTheHeaderDoesNotAnnounceYet) {
  write_file(path_, content_of(path_) + std::string(201, 'x'));
  EXPECT_EQ(frames_on_disk(path_), 1100);
}

TEST_F(RepairedWAV, IsCutToSoManyFrames) {
  set_frames(path_, 400);
  EXPECT_EQ(fs::file_size(path_), 844);
  std::string as_written;
  {
    audio::WAVWriter wav(folder_ / "other.wav", 16000);
    wav.append(std::vector<std::int16_t>(400, 7));
    as_written = content_of(folder_ / "other.wav");
  }
  EXPECT_EQ(content_of(path_), as_written);
}

TEST_F(RepairedWAV, IsFilledWithSilence) {
  set_frames(path_, 1001);
  EXPECT_EQ(frames_on_disk(path_), 1001);
  EXPECT_EQ(content_of(path_).substr(44 + 1998), std::string("\7\0\0\0", 4));
}

TEST_F(RepairedWAV, IsNotMadeOfSomethingElse) {
  write_file(path_, std::string(1000, 'x'));
  EXPECT_THROW(frames_on_disk(path_), RecorderError);
  EXPECT_THROW(set_frames(path_, 1), RecorderError);
  EXPECT_EQ(content_of(path_), std::string(1000, 'x'));
}

TEST_F(RepairedWAV, HasNoFramesWhereThereIsNoHeaderOrNoFile) {
  write_file(path_, "RIFF");
  EXPECT_EQ(frames_on_disk(path_), 0);
  EXPECT_EQ(frames_on_disk(folder_ / "missing.wav"), 0);
}

}  // namespace
}  // namespace dictum::journal
