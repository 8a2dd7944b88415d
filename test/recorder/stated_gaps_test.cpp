#include "recorder/stated_gaps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

using Piece = StatedGaps::Piece;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(StatedGaps, StatesAGapWhole) {
  StatedGaps gaps;
  EXPECT_THAT(gaps.add(100, 50), ElementsAre(Piece{100, 50}));
}

TEST(StatedGaps, LeavesOutWhatIsInTheMiddleAlready) {
  StatedGaps gaps;
  gaps.add(200, 10);
  gaps.add(300, 10);
  EXPECT_THAT(gaps.add(100, 400), ElementsAre(Piece{100, 100}, Piece{210, 90}, Piece{310, 190}));
}

TEST(StatedGaps, LeavesOutWhatIsAtTheEdgesAlready) {
  StatedGaps gaps;
  gaps.add(90, 20);
  gaps.add(190, 20);
  EXPECT_THAT(gaps.add(100, 100), ElementsAre(Piece{110, 80}));
}

TEST(StatedGaps, StatesNothingTwice) {
  StatedGaps gaps;
  gaps.add(100, 100);
  EXPECT_THAT(gaps.add(120, 50), IsEmpty());
  EXPECT_THAT(gaps.add(100, 100), IsEmpty());
}

TEST(StatedGaps, StatesGapsThatTouch) {
  StatedGaps gaps;
  gaps.add(100, 100);
  EXPECT_THAT(gaps.add(200, 10), ElementsAre(Piece{200, 10}));
  EXPECT_THAT(gaps.add(90, 10), ElementsAre(Piece{90, 10}));
}

TEST(StatedGaps, StatesAgainWhatIsForgotten) {
  StatedGaps gaps;
  gaps.add(100, 100);
  gaps.add(300, 100);
  gaps.forget_before(300);
  EXPECT_THAT(gaps.add(150, 200), ElementsAre(Piece{150, 150}));
}

}  // namespace
}  // namespace dictum::recorder
