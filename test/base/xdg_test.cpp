#include "base/xdg.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace dictum {
namespace {

struct Place {
  const char* variable;
  const char* below_home;
  std::filesystem::path (*folder)();
};

TEST(TemporaryFolder, IsNeverTheCurrentOne) {
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  for (const char* relative : {"", ".", "here"}) {
    ::setenv("TMPDIR", relative, 1);
    EXPECT_EQ(temporary_folder(), "/tmp") << relative;
  }
  ::setenv("TMPDIR", "/elsewhere", 1);
  EXPECT_EQ(temporary_folder(), "/elsewhere");
  before != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
}

class XDGFolders : public testing::TestWithParam<Place> {
 protected:
  void SetUp() override {
    ::setenv("HOME", "/home/ann", 1);
    ::unsetenv(GetParam().variable);
  }

  static std::filesystem::path folder() { return GetParam().folder(); }
};

TEST_P(XDGFolders, AreBelowTheVariable) {
  ::setenv(GetParam().variable, "/elsewhere", 1);
  EXPECT_EQ(folder(), "/elsewhere/dictum");
}

TEST_P(XDGFolders, AreBelowHomeWithoutTheVariable) {
  EXPECT_EQ(folder(), std::filesystem::path("/home/ann") / GetParam().below_home / "dictum");
}

TEST_P(XDGFolders, IgnoreARelativeVariable) {
  ::setenv(GetParam().variable, "here", 1);
  EXPECT_EQ(folder(), std::filesystem::path("/home/ann") / GetParam().below_home / "dictum");
}

TEST_P(XDGFolders, AreNeverTheCurrentFolder) {
  ::unsetenv("HOME");
  EXPECT_EQ(folder(), "");
  ::setenv("HOME", "relative", 1);
  EXPECT_EQ(folder(), "");
}

INSTANTIATE_TEST_SUITE_P(All, XDGFolders,
                         testing::Values(Place{"XDG_DATA_HOME", ".local/share", data_folder},
                                         Place{"XDG_CONFIG_HOME", ".config", config_folder},
                                         Place{"XDG_CACHE_HOME", ".cache", cache_folder}),
                         [](const auto& tested) { return std::string(tested.param.variable); });

}  // namespace
}  // namespace dictum
