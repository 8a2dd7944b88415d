#include "server/event_cursor.hpp"

#include <gmock/gmock.h>

namespace dictum::server {
namespace {

using testing::Eq;
using testing::Optional;

TEST(EventCursor, IsWrittenAndReadBack) {
  const EventCursor cursor{{"20261122_154501", 8}, {"20261122_160000-2", 1}};
  EXPECT_EQ(to_text(cursor), "20261122_154501/7,20261122_160000-2/0");
  EXPECT_THAT(parse_event_cursor(to_text(cursor)), Optional(Eq(cursor)));
}

TEST(EventCursor, ANumberAloneIsOfTheNewestSession) {
  EXPECT_THAT(parse_event_cursor("7"), Optional(Eq(EventCursor{{"", 8}})));
  EXPECT_THAT(parse_event_cursor("-1"), Optional(Eq(EventCursor{{"", 0}})));
}

TEST(EventCursor, MinusOneIsTheStartOfASession) {
  EXPECT_THAT(parse_event_cursor("20261122_154501/-1"), Optional(Eq(EventCursor{{"20261122_154501", 0}})));
  EXPECT_EQ(to_text({{"20261122_154501", 0}}), "20261122_154501/-1");
}

TEST(EventCursor, WhatIsNoneIsRefused) {
  std::string many;
  for (int i = 10; i < 30; ++i)
    many += (many.empty() ? "" : ",") + std::string("202611") + std::to_string(i) + "_154501/1";
  for (const std::string& text :
       {std::string(), std::string("-2"), std::string("x"), std::string("1,2"), std::string("/1"), std::string("../1"),
        std::string("20261122_154501"), std::string("20261122_154501/"), std::string("20261122_154501/x"),
        std::string("20261122_154501/1,"), std::string("20261122_154501/1,20261122_154501/2"),
        std::string("20261122_154501/../1"), std::string("18446744073709551615"), std::string("9223372036854775807"),
        std::string("99999999999999999999"), many}) {
    EXPECT_FALSE(parse_event_cursor(text)) << text;
  }
}

}  // namespace
}  // namespace dictum::server
