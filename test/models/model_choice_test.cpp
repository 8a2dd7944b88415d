#include "models/model_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "support/temporary_directory.hpp"

namespace dictum::models {
namespace {

using testing::ElementsAre;

/// A folder of empty model files and a cache of measurements.
class ModelChoice : public testing::Test {
 protected:
  void install(const std::string& name) const {
    std::filesystem::create_directories(models_);
    std::ofstream(models_ / ("ggml-" + name + ".bin")) << name;
  }
  void measured(const std::string& name, double seconds) const {
    speeds_.keep(models_ / ("ggml-" + name + ".bin"), seconds);
  }

  std::vector<std::string> order() const {
    std::vector<std::string> names;
    for (const auto& file : by_quality(store_)) names.push_back(name_of(file));
    return names;
  }
  std::string choice() const { return name_of(choose(by_quality(store_), speeds_)); }

  const test::TemporaryDirectory folder_;
  const std::filesystem::path models_ = folder_ / "models";
  const ModelStore store_{models_, "http://127.0.0.1:1"};
  const SpeedCache speeds_{folder_ / "cache/speed.txt"};
};

TEST_F(ModelChoice, PutsTheBestModelFirst) {
  for (const char* name : {"tiny.en-q8_0", "base", "base.en", "base.en-q8_0", "base-q8_0", "medium-q5_0", "small"})
    install(name);
  EXPECT_THAT(order(),
              ElementsAre("medium-q5_0", "small", "base-q8_0", "base.en-q8_0", "base", "base.en", "tiny.en-q8_0"));
}

TEST_F(ModelChoice, IsTheBestThatKeepsUp) {
  EXPECT_EQ(choice(), "");
  install("tiny.en-q8_0");
  EXPECT_EQ(choice(), "tiny.en-q8_0");
  install("small-q8_0");
  install("base-q8_0");
  EXPECT_EQ(choice(), "small-q8_0") << "it was not measured yet";
  measured("small-q8_0", 9);
  EXPECT_EQ(choice(), "base-q8_0");
  measured("base-q8_0", 1.2);
  EXPECT_EQ(choice(), "base-q8_0");
}

TEST_F(ModelChoice, IsTheQuickestWhereNoneKeepsUp) {
  install("base-q8_0");
  install("tiny.en-q8_0");
  measured("base-q8_0", 20);
  measured("tiny.en-q8_0", 5);
  EXPECT_EQ(choice(), "tiny.en-q8_0");
}

TEST_F(ModelChoice, MeasuresAFileAgainThatBecameAnother) {
  install("base-q8_0");
  measured("base-q8_0", 20);
  measured("base-q8_0", 1.5);
  const auto file = models_ / "ggml-base-q8_0.bin";
  EXPECT_EQ(speeds_.find(file), 1.5) << "the last measurement counts";
  std::ofstream(file) << "another length";
  EXPECT_EQ(speeds_.find(file), std::nullopt);
}

TEST_F(ModelChoice, WorksWithoutACacheThatCannotBeReadOrWritten) {
  install("base-q8_0");
  const auto file = models_ / "ggml-base-q8_0.bin";
  for (const char* rubbish : {"", "no number", "ggml-base-q8_0.bin:1:1 -1", "\xff\xfe\n\n 7 7 7"}) {
    std::ofstream(folder_ / "rubbish") << rubbish;
    EXPECT_EQ(SpeedCache(folder_ / "rubbish").find(file), std::nullopt);
  }
  const SpeedCache nowhere("/proc/no/such/place");
  nowhere.keep(file, 1);
  EXPECT_EQ(nowhere.find(file), std::nullopt);
}

TEST_F(ModelChoice, LooksIntoFoldersThatAreOnlyRead) {
  const auto shared = folder_ / "shared";
  std::filesystem::create_directories(shared);
  std::ofstream(shared / "ggml-base-q8_0.bin") << "base";
  const ModelStore store(models_, "http://127.0.0.1:1", catalogue(), {}, {shared, models_});
  EXPECT_EQ(store.resolve("base-q8_0"), shared / "ggml-base-q8_0.bin");
  EXPECT_FALSE(store.remove("base-q8_0")) << "it is not ours";
  EXPECT_TRUE(std::filesystem::exists(shared / "ggml-base-q8_0.bin"));
  EXPECT_EQ(store.path("tiny"), models_ / "ggml-tiny.bin") << "new ones are put where pulled ones are kept";
}

}  // namespace
}  // namespace dictum::models
