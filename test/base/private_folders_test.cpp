#include "base/private_folders.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/scratch_folder.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

TEST(PrivateFolders, AreForThisUserAloneWhateverTheUmask) {
  const test::TemporaryDirectory folder;
  const mode_t before = ::umask(0);
  EXPECT_FALSE(make_private_folders(folder / "a/b/c/"));
  ::umask(before);
  for (const char* name : {"a", "a/b", "a/b/c"}) {
    EXPECT_EQ(fs::status(folder / name).permissions(), fs::perms::owner_all) << name;
  }
  EXPECT_FALSE(make_private_folders(folder / "a/b/c")) << "there already";
}

TEST(PrivateFolders, SayWhatIsInTheWay) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_EQ(make_private_folders(folder / "file/b"), std::errc::not_a_directory);
  EXPECT_TRUE(make_private_folders("/proc/x"));
}

TEST(ScratchFolder, GoesWithItsOwnerAndIsRemovedLaterWhereTheOwnerWasKilled) {
  const test::TemporaryDirectory folder;
  const fs::path root = folder / "new/root";
  fs::path killed;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ScratchFolder scratch(root);
    std::ofstream(scratch.path() / "speech.wav") << "speech";
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  for (const auto& entry : fs::directory_iterator(root)) killed = entry.path();
  ASSERT_TRUE(fs::exists(killed / "speech.wav"));
  fs::create_directory(root / "20260101_000000");
  fs::create_directory_symlink(root / "20260101_000000", killed.string() + "x");
  {
    const ScratchFolder lives(root);
    EXPECT_FALSE(fs::exists(killed));
    EXPECT_EQ(fs::status(lives.path()).permissions(), fs::perms::owner_all);
    ScratchFolder::remove_abandoned(root);
    EXPECT_TRUE(fs::exists(lives.path()));
    std::ofstream(lives.path() / "speech.wav") << "speech";
  }
  fs::remove(killed.string() + "x");
  EXPECT_EQ(std::distance(fs::directory_iterator(root), {}), 1) << "the session";
}

TEST(ScratchFolder, SaysWhereItCannotBeMade) {
  EXPECT_THROW(ScratchFolder("/proc/x"), RecorderError);
}

}  // namespace
}  // namespace dictum
