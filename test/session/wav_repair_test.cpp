#include "session/wav_repair.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audio/wav_writer.hpp"
#include "dictum/error.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using test::content_of;
using test::TemporaryDirectory;
using test::write_file;
namespace fs = std::filesystem;

class RepairedWAV : public testing::Test {
 protected:
  RepairedWAV() {
    audio::WAVWriter wav(path_, 16000);
    wav.append(std::vector<std::int16_t>(1000, 7));
    wav.close();
  }
  const TemporaryDirectory folder_;
  const std::string name_ = "seg_0000.wav";
  const fs::path path_ = folder_ / name_;
  const journal::SessionFolder session_{folder_.path()};
};

TEST_F(RepairedWAV, CountsSamplesThatTheHeaderDoesNotAnnounceYet) {
  write_file(path_, content_of(path_) + std::string(201, 'x'));
  EXPECT_EQ(frames_on_disk(session_, name_), 1100);
}

TEST_F(RepairedWAV, IsCutToSoManyFrames) {
  set_frames(session_, name_, 400, 16000);
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
  set_frames(session_, name_, 1001, 16000);
  EXPECT_EQ(frames_on_disk(session_, name_), 1001);
  EXPECT_EQ(content_of(path_).substr(44 + 1998), std::string("\7\0\0\0", 4));
}

TEST_F(RepairedWAV, IsNotMadeOfSomethingElse) {
  write_file(path_, std::string(1000, 'x'));
  EXPECT_THROW(frames_on_disk(session_, name_), RecorderError);
  EXPECT_THROW(set_frames(session_, name_, 1, 16000), RecorderError);
  EXPECT_EQ(content_of(path_), std::string(1000, 'x'));
}

TEST_F(RepairedWAV, HasNoFramesWhereThereIsNoHeaderOrNoFile) {
  write_file(path_, "RIFF");
  EXPECT_EQ(frames_on_disk(session_, name_), 0);
  EXPECT_EQ(frames_on_disk(session_, "missing.wav"), 0);
}

TEST_F(RepairedWAV, IsNotSoughtBehindALink) {
  const fs::path elsewhere = folder_ / "elsewhere.wav";
  fs::rename(path_, elsewhere);
  fs::create_symlink(elsewhere, path_);
  const std::string before = content_of(elsewhere);
  EXPECT_THROW(frames_on_disk(session_, name_), RecorderError);
  EXPECT_THROW(set_frames(session_, name_, 1, 16000), RecorderError);
  EXPECT_EQ(content_of(elsewhere), before);
}

}  // namespace
}  // namespace dictum::session
