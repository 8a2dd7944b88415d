#include "base/private_folders.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

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

}  // namespace
}  // namespace dictum
