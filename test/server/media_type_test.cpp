#include "server/media_type.hpp"

#include <gtest/gtest.h>

namespace dictum::server {
namespace {

TEST(Accept, NothingAcceptsEverything) {
  EXPECT_TRUE(accepts("", "text/vtt"));
  EXPECT_TRUE(accepts(" ", "text/vtt"));
}

TEST(Accept, ATypeIsAcceptedByItsNameAndByRanges) {
  for (const char* header :
       {"text/vtt", "TEXT/VTT", "text/*", "*/*", "application/json, text/vtt;q=0.1", " text/vtt ; charset=utf-8"}) {
    EXPECT_TRUE(accepts(header, "text/vtt")) << header;
  }
  for (const char* header : {"text/html", "application/*", "text/vttx", "text", "text/", "/", ",;,"}) {
    EXPECT_FALSE(accepts(header, "text/vtt")) << header;
  }
}

TEST(Accept, AWeightOfZeroExcludes) {
  EXPECT_FALSE(accepts("text/vtt;q=0", "text/vtt"));
  EXPECT_FALSE(accepts("text/vtt; Q=0.000", "text/vtt"));
  EXPECT_TRUE(accepts("text/vtt;q=0.001", "text/vtt"));
}

TEST(Accept, TheMostSpecificRangeDecides) {
  EXPECT_FALSE(accepts("*/*, text/vtt;q=0", "text/vtt"));
  EXPECT_FALSE(accepts("text/vtt;q=0, */*", "text/vtt"));
  EXPECT_TRUE(accepts("text/*;q=0, text/vtt", "text/vtt"));
}

TEST(ContentType, ItsEssenceHasNoParameters) {
  EXPECT_EQ(essence("application/json; charset=utf-8"), "application/json");
  EXPECT_EQ(essence(" text/vtt "), "text/vtt");
  EXPECT_EQ(essence(""), "");
}

}  // namespace
}  // namespace dictum::server
