#include "transcription/agreement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dictum::transcription {
namespace {

std::string stable_of(const std::string& first, const std::string& second) {
  Agreement agreement;
  agreement.with_next(first);
  const Agreement::Version version = agreement.with_next(second);
  return version.text.substr(0, version.stable_chars);
}

TEST(Agreement, HoldsNothingOfAFirstText) {
  EXPECT_EQ(Agreement().with_next("ask not").stable_chars, 0);
}

TEST(Agreement, HoldsTheWordsThatBothBeginWith) {
  EXPECT_EQ(stable_of("ask not what", "ask not that"), "ask not");
}

TEST(Agreement, DoesNotHoldAWordThatMayGoOn) {
  EXPECT_EQ(stable_of("ask no", "ask not"), "ask");
}

TEST(Agreement, HoldsAWordThoughAStopFollowsIt) {
  EXPECT_EQ(stable_of("ask not.", "ask not, what"), "ask not");
}

TEST(Agreement, HoldsWholeTextsThatAreEqual) {
  EXPECT_EQ(stable_of("ask not", "ask not"), "ask not");
}

TEST(Agreement, GoesByCharactersWhereWordsHaveNoSpaces) {
  EXPECT_EQ(stable_of("你好世", "你好吗"), "你好");
}

TEST(Agreement, NeverCutsACharacter) {
  EXPECT_EQ(stable_of("caf\u00e9 a", "caf\u00ea a"), "");
}

TEST(Agreement, HoldsNothingThatTheLastTextTookBack) {
  Agreement agreement;
  agreement.with_next("ask not");
  agreement.with_next("and so");
  EXPECT_EQ(agreement.with_next("ask not").stable_chars, 0);
}

TEST(Agreement, NeverTakesBackWhatIsCommitted) {
  Agreement agreement;
  agreement.with_next("and so my");
  agreement.with_next("and so my fellow");
  const auto other = agreement.with_next("Answer, my fellow Americans");
  EXPECT_EQ(other.text, "and so my Americans");
  EXPECT_EQ(other.text.substr(0, other.stable_chars), "and so my");
  const auto shorter = agreement.with_next("And");
  EXPECT_EQ(shorter.text, "and so my");
  EXPECT_EQ(shorter.stable_chars, 9);
}

TEST(Agreement, GoesOnBehindWhatIsCommittedThoughItIsWrittenInAnotherWay) {
  Agreement agreement;
  agreement.with_next("and so my fellow");
  agreement.with_next("and so my fellow");
  const auto next = agreement.with_next("And so, my fellow Americans");
  EXPECT_EQ(next.text, "and so my fellow Americans");
  EXPECT_EQ(next.stable_chars, 16);
  EXPECT_EQ(agreement.with_next("And so, my fellow Americans, ask").stable_chars, 26);
}

TEST(Agreement, CountsCharactersWhereWordsHaveNoSpaces) {
  Agreement agreement;
  agreement.with_next("你好世");
  agreement.with_next("你好世");
  const auto next = agreement.with_next("您好世界");
  EXPECT_EQ(next.text, "你好世界");
  EXPECT_EQ(next.stable_chars, std::string("你好世").size());
}

struct TwoVersions {
  const char* writing;
  const char* first;
  const char* second;
  const char* stable;
};

class AgreementInEveryWriting : public testing::TestWithParam<TwoVersions> {};

TEST_P(AgreementInEveryWriting, HoldsWhatBothBeginWith) {
  EXPECT_EQ(stable_of(GetParam().first, GetParam().second), GetParam().stable);
}

INSTANTIATE_TEST_SUITE_P(Writings, AgreementInEveryWriting,
                         testing::Values(TwoVersions{"Chinese", "今天天气很", "今天天气好", "今天天气"},
                                         TwoVersions{"Japanese", "今日はいい天", "今日はいい気分", "今日はいい"},
                                         TwoVersions{"Thai", "วันนี้อากาศดี", "วันนี้อากาศร้อน", "วันนี้อากาศ"},
                                         TwoVersions{"Korean", "오늘 날씨가", "오늘 날씨는", "오늘 날씨"},
                                         TwoVersions{"Hindi", "आज मौसम अच्", "आज मौसम बुरा", "आज मौसम"}),
                         [](const auto& test) { return std::string(test.param.writing); });

TEST(Agreement, NeverTakesALetterApartFromItsMark) {
  EXPECT_EQ(stable_of("มากด", "มากดี"), "มาก");
  EXPECT_EQ(stable_of("मौसम क", "मौसम कि"), "मौसम");
}

}  // namespace
}  // namespace dictum::transcription
