#include "session/probabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Probabilities : public testing::Test {
 protected:
  void write(const std::string& bytes) const {
    std::ofstream(root / journal::kProbabilitiesFile, std::ios::binary) << bytes;
  }
  std::string bytes() const {
    std::ifstream in(root / journal::kProbabilitiesFile, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const test::TemporaryDirectory root;
};

TEST_F(Probabilities, AreReadAsTheyWereWritten) {
  {
    ProbabilityWriter writer(root.path());
    writer.append(0, std::vector<float>{0.0F, 0.25F});
    writer.append(0, std::vector<float>{1.0F});
    writer.append(Frame{1} << 40, std::vector<float>{0.5F});
  }
  EXPECT_THAT(read_probabilities(root.path()),
              ElementsAre(ProbabilityStretch{0, {0.0F, 0.25F, 1.0F}}, ProbabilityStretch{Frame{1} << 40, {0.5F}}));
}

TEST_F(Probabilities, OfASessionWithoutTheFileAreNone) {
  EXPECT_THAT(read_probabilities(root.path()), IsEmpty());
}

TEST_F(Probabilities, ThatWereCutOffAnywhereAreReadUpToThere) {
  {
    ProbabilityWriter writer(root.path());
    writer.append(0, std::vector<float>{0.25F, 0.5F});
    writer.append(16'000, std::vector<float>{0.75F});
  }
  const std::string whole = bytes();
  std::size_t most = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write(whole.substr(0, size));
    std::size_t values = 0;
    for (const auto& stretch : read_probabilities(root.path())) values += stretch.values.size();
    EXPECT_GE(values, most);
    most = values;
  }
  EXPECT_EQ(most, 3U);
}

TEST_F(Probabilities, OfAnythingElseAreRefused) {
  const auto little_endian = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const std::string stretch = little_endian(-1.0F) + little_endian(std::int64_t{512});
  for (const std::string& wrong :
       {std::string("text"), little_endian(0.5F), stretch + little_endian(1.5F), stretch + little_endian(-0.5F),
        stretch + little_endian(std::numeric_limits<float>::quiet_NaN()), stretch + little_endian(0.5F) + stretch,
        little_endian(-1.0F) + little_endian(std::int64_t{-1})}) {
    write(wrong);
    EXPECT_THROW(read_probabilities(root.path()), RecorderError);
  }
}

}  // namespace
}  // namespace dictum::session
